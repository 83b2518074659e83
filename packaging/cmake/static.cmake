# SPDX-License-Identifier: Apache-2.0
# The static agent: a third less resident memory (no libc and loader pages of its own), and nothing can be preloaded into it.
# A distribution that wants its library updates to reach the agent without a rebuild says SV_AGENT_STATIC=OFF.
#
# A target with the property SV_STATIC links the archives in place of the shared libraries; see vault/CMakeLists.txt.
find_library(SV_SODIUM_A NAMES libsodium.a HINTS ${SODIUM_LIBRARY_DIRS})
find_library(SV_SQLITE3_A NAMES libsqlite3.a HINTS ${SQLITE3_LIBRARY_DIRS})
mark_as_advanced(SV_SODIUM_A SV_SQLITE3_A)

set(SV_AGENT_IS_STATIC OFF)
if(NOT SV_AGENT_STATIC STREQUAL "OFF" AND CMAKE_SYSTEM_NAME STREQUAL "Linux" AND SV_SODIUM_A AND SV_SQLITE3_A
		AND NOT CMAKE_BUILD_TYPE MATCHES "Sanitize|Coverage|Debug")
	include(CheckCSourceCompiles)
	set(CMAKE_REQUIRED_FLAGS "-fPIE")
	set(CMAKE_REQUIRED_LINK_OPTIONS -static-pie)
	check_c_source_compiles("#include <stdlib.h>\nint main(void) { free(malloc(1)); return 0; }" SV_HAVE_STATIC_PIE)
	unset(CMAKE_REQUIRED_FLAGS)
	unset(CMAKE_REQUIRED_LINK_OPTIONS)
	if(SV_HAVE_STATIC_PIE)
		set(SV_AGENT_IS_STATIC ON)
	endif()
endif()
if(SV_AGENT_STATIC STREQUAL "ON" AND NOT SV_AGENT_IS_STATIC)
	message(FATAL_ERROR "SV_AGENT_STATIC=ON needs libsodium.a, libsqlite3.a and a static libc")
endif()
