/* What {{name}} does.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "messages.h"
#include "plugin.h"

{{handlers}}
const operation operations[] = {
{{table}}};
const uint32_t operation_count = sizeof operations / sizeof *operations;
