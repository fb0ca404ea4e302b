// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "pack.h"

const rule rules[] = {
    {"iron.sword", "violation", "Swords were cast of bronze.", "a bronze sword", {"iron sword", "铁剑"}, EVERY},
    {"iron.any", "suggestion", "Iron was a rare gift.", "bronze", {"iron", "steel"}, EVERY},
    {"money.coin", "violation", "There were no coins yet.", "weighed silver", {"coin", "coins", "铜钱"}, EVERY},
    {"food.potato", "violation", "Potatoes are American.", "barley", {"potato", "potatoes", "土豆"}, EVERY},
    {"food.sugar", "warning", "Sugar was unknown.", "honey", {"sugar"}, EVERY},
    {"ship.compass", "violation", "Pilots steered by stars.", "the pole star", {"compass"}, EVERY},
    {"look.cinematic", "suggestion", "The words belong to films.", "a painted frieze", {"cinematic"}, PROMPT},
    {"norm.visual.marble", "warning", "Show no white marble temples.", "mud brick and painted plaster",
     {"marble", "marble temple"}, PROMPT | DESIGN},
};
const size_t rule_count = sizeof rules / sizeof *rules;

const stage stages[] = {
    {"quay", "The quay", "Ships lie on the sand, their keels on rollers.", "pitch and wet rope", "day"},
    {"forge", "The forge", "Copper and tin go into one crucible.", "a bellows that never rests", "night"},
};
const size_t stage_count = sizeof stages / sizeof *stages;

const term terms[] = {
    {"oxhide ingot", "copper cast in the form of a hide", "object"},
    {"amphora", "a jar with two handles", "object"},
};
const size_t term_count = sizeof terms / sizeof *terms;
