// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Routes of a deployment whose outlines come from `openai` for English, and else from `offline`.
let modelRoutes = """
    profiles:
      - {name: inbox, instance: inbox}
      - {name: house, instance: offline}
      - {name: model, instance: openai}
    routes:
      - {feature: studio.notify, candidates: [{profile: inbox}]}
      - feature: studio.outline
        candidates:
          - {profile: model, when: {locale: en}}
          - {profile: house}
      - {feature: studio.retrieval.embed, candidates: [{profile: house}]}
      - {feature: studio.culture, candidates: [{profile: bianjing}]}
      - {feature: knowledge.embed, candidates: [{profile: house}]}

    """
