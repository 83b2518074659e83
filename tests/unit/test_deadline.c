/* SPDX-License-Identifier: Apache-2.0 */
/* A request that takes longer than the session has left: nothing of what it looked up goes out. */
#include "tests/unit/agent_fixture.h"

#define SELECTORS 200

static enum sv_code resolve_all(struct fixture *f, struct client *c, uint16_t n)
{
	const struct sv_msg_resolve m = { text(""), 0, n };
	const struct sv_msg_selector all = { .kind = SV_SELECT_ALL, .arg = text(""), .var = text("") };
	struct request r;

	assert_int_equal(sv_msg_put_resolve(request_begin(&r, SV_MSG_RESOLVE, 0), &m), SV_OK);
	for (uint16_t i = 0; i < n; i++)
		assert_int_equal(sv_msg_put_selector(&r.b, &all), SV_OK);
	return request_ask(f, c, &r);
}

/* Every look moves the clock on, so the many walks of one request outlast the session. */
static void a_request_that_outlasts_the_session_gives_nothing(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_open(f, &c);
	assert_int_equal(init(f, &c, 3600, 30), SV_OK);
	assert_int_equal(set(f, &c, "token", "the-value"), SV_OK);
	assert_int_equal(resolve_all(f, &c, 3), SV_OK);
	assert_non_null(memmem(f->body.data, f->body.len, "the-value", 9));
	f->tick_ms = 400;
	assert_int_not_equal(resolve_all(f, &c, SELECTORS), SV_OK);
	f->tick_ms = 0;
	if (f->body.data != NULL)
		assert_null(memmem(f->body.data, f->body.len, "the-value", 9));
	turn(f);
	assert_false(sv_agent_unlocked(&f->a));
	client_close(&c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		AGENT_TEST(a_request_that_outlasts_the_session_gives_nothing),
	};

	return cmocka_run_group_tests_name("deadline", tests, fixture_group_setup, fixture_group_teardown);
}
