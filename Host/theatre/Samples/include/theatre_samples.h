/* Texts that ship with the tool.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef THEATRE_SAMPLES_H
#define THEATRE_SAMPLES_H

/* The chapter that the tour drafts by default: UTF-8 Markdown, not NUL-terminated, `*size` bytes. */
const unsigned char *theatre_sample_chapter(unsigned long *size);

#endif
