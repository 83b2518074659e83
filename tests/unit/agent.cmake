# SPDX-License-Identifier: Apache-2.0
# Unit tests of the protocol and of the agent.
sv_add_test(test_msg SOURCES test_msg.c "${CMAKE_SOURCE_DIR}/tests/support/msg_samples.c" LIBS sv_proto)
sv_add_test(test_frame SOURCES test_frame.c LIBS sv_proto)
sv_add_test(test_idle SOURCES test_idle.c LIBS sv_agent_core)
sv_add_test(test_endpoint SOURCES test_endpoint.c LIBS sv_proto)
sv_add_test(test_client SOURCES test_client.c LIBS sv_proto)
sv_add_test(test_server SOURCES test_server.c LIBS sv_agent_core)
sv_add_test(test_session SOURCES test_session.c LIBS sv_agent_core)
sv_add_test(test_requests SOURCES test_requests.c LIBS sv_agent_core)
sv_add_test(test_deadline SOURCES test_deadline.c LIBS sv_agent_core)
