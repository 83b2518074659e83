# SPDX-License-Identifier: Apache-2.0
# The matching engine.  The property tests take SV_MATCH_SEED and SV_MATCH_ROUNDS from the environment.
foreach(part patterns engine filter)
	sv_add_test(test_match_${part} SOURCES test_match_${part}.c ${CMAKE_SOURCE_DIR}/tests/support/match_oracle.c
		LIBS sv_match sv_base)
	target_include_directories(test_match_${part} PRIVATE "${CMAKE_SOURCE_DIR}")
endforeach()
