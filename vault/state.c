/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state MAC, and the sealed facts that it covers.
 */
#include "vault/state.h"

#include "vault/base/secmem.h"

#include <string.h>

void sv_state_mac(const struct sv_scope *s, const struct sv_state_row *row, const struct sv_slot *slots, size_t n,
		  uint8_t out[SV_HASH_BYTES])
{
	unsigned char slot[SV_SLOT_BYTES];
	struct sv_mac m;

	sv_mac_init(&m, s->keys->mac, "sv1.stat");
	sv_mac_u32(&m, SV_FORMAT);
	sv_mac_u32(&m, s->suite);
	sv_mac_put(&m, s->vault_id, SV_ID_BYTES);
	sv_mac_u64(&m, s->epoch);
	sv_mac_u64(&m, row->seq);
	sv_mac_u64(&m, row->nrec);
	sv_mac_put(&m, row->root, SV_HASH_BYTES);
	sv_mac_u32(&m, (uint32_t)row->head_n);
	sv_mac_put(&m, row->head, row->head_n);
	sv_mac_u8(&m, (uint8_t)n);
	for (size_t i = 0; i < n; i++) {
		sv_slot_bytes(&slots[i], slot);
		sv_mac_put(&m, slot, sizeof(slot));
	}
	sv_mac_final(&m, out);
}

enum sv_code sv_state_seal_head(const struct sv_scope *s, const struct sv_head *h, struct sv_state_row *row,
				struct sv_err *err)
{
	struct sv_buf b = SV_BUF_LOCKED(SV_HEAD_BYTES_MAX - SV_SEAL_EXTRA);
	enum sv_code rc = sv_head_encode(h, &b);

	if (rc == SV_OK) {
		sv_crypt_seal_head(s, row->seq, b.data, b.len, row->head);
		row->head_n = b.len + SV_SEAL_EXTRA;
	}
	sv_buf_clear(&b);
	return rc == SV_OK ? rc : sv_err_set(err, rc, "no locked memory for the vault's facts");
}

enum sv_code sv_state_open_head(const struct sv_scope *s, const struct sv_state_row *row, struct sv_head *h,
				struct sv_err *err)
{
	size_t n = row->head_n - SV_SEAL_EXTRA;
	unsigned char *plain = sv_secmem_alloc(n + 1);
	enum sv_code rc;

	if (plain == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no locked memory for the vault's facts");
	rc = sv_crypt_open_head(s, row->seq, row->head, row->head_n, plain);
	rc = rc == SV_OK ? sv_head_decode(plain, n, h, err) : sv_err_set(err, rc, "the vault's facts do not open");
	sv_secmem_free(plain);
	return rc;
}
