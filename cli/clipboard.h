/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value on the clipboard for a short while, through the desktop's own tool by its standard input.
 */
#ifndef SV_CLI_CLIPBOARD_H
#define SV_CLI_CLIPBOARD_H

#include "cli/cmd.h"

/*
 * Copy, and leave a process behind that after the settings' clipboard_clear puts back what was there before, if the
 * value is still there.  Tools: wl-copy (Wayland), xclip or xsel (X11), pbcopy (macOS).  SV_ERR_NOT_FOUND: none of
 * them; SV_ERR_FAIL.
 */
enum sv_code sv_clipboard_copy(struct sv_cli *cli, const unsigned char *value, size_t len, struct sv_err *err) SV_CHECK;

#endif
