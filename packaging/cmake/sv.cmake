# SPDX-License-Identifier: Apache-2.0
# Build types, warnings, hardening, and the functions that declare tests.

get_property(sv_multi GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(NOT sv_multi AND NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug, Sanitize or Coverage" FORCE)
endif()

set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g3")
set(CMAKE_C_FLAGS_SANITIZE "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all")
set(CMAKE_EXE_LINKER_FLAGS_SANITIZE "-fsanitize=address,undefined")
set(CMAKE_C_FLAGS_COVERAGE "-O0 -g --coverage")
set(CMAKE_EXE_LINKER_FLAGS_COVERAGE "--coverage")
mark_as_advanced(CMAKE_C_FLAGS_SANITIZE CMAKE_EXE_LINKER_FLAGS_SANITIZE CMAKE_C_FLAGS_COVERAGE CMAKE_EXE_LINKER_FLAGS_COVERAGE)

# sv_options: language level and hardening for everything; sv_warnings: what our own sources must compile without.
add_library(sv_options INTERFACE)
target_include_directories(sv_options INTERFACE "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}")
target_compile_definitions(sv_options INTERFACE _GNU_SOURCE=1 _FILE_OFFSET_BITS=64)
if(SV_TESTING)
	target_compile_definitions(sv_options INTERFACE SV_TESTING=1)
endif()
set(SV_HARDEN -fstack-protector-strong -fstack-clash-protection -fno-strict-overflow -fPIE -fvisibility=hidden)
include(CheckCCompilerFlag)
foreach(flag -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr -fcf-protection=full)
	string(MAKE_C_IDENTIFIER "SV_HAVE${flag}" have)
	check_c_compiler_flag(${flag} ${have})
	if(${have})
		list(APPEND SV_HARDEN ${flag})
	endif()
endforeach()
target_compile_options(sv_options INTERFACE ${SV_HARDEN}
	$<$<CONFIG:Release>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
set(SV_LINK_HARDEN -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed)

add_library(sv_warnings INTERFACE)
target_compile_options(sv_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wpointer-arith
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wwrite-strings -Wundef
	$<$<BOOL:${SV_WERROR}>:-Werror>)
target_link_libraries(sv_warnings INTERFACE sv_options)

# The musl target of the same compiler, by its specs file: static programs that start in a tenth of a millisecond.
set(SV_FRONT_FOUND OFF)
set(SV_MUSL_SPECS "" CACHE FILEPATH "musl-gcc.specs")
if(NOT SV_FRONT STREQUAL "OFF" AND CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_BUILD_TYPE MATCHES "Sanitize|Coverage")
	if(NOT SV_MUSL_SPECS)
		file(GLOB sv_specs "/usr/lib/*-linux-musl/musl-gcc.specs" "/usr/lib/musl/lib/musl-gcc.specs" "/usr/local/musl/lib/musl-gcc.specs")
		if(sv_specs)
			list(GET sv_specs 0 sv_spec)
			set(SV_MUSL_SPECS "${sv_spec}" CACHE FILEPATH "musl-gcc.specs" FORCE)
		endif()
	endif()
	if(SV_MUSL_SPECS)
		set(SV_FRONT_FOUND ON)
	endif()
endif()
if(SV_FRONT STREQUAL "ON" AND NOT SV_FRONT_FOUND)
	message(FATAL_ERROR "SV_FRONT=ON needs gcc and musl (Debian: musl-tools)")
endif()

# sv_add_program(NAME SOURCES ... LIBS ...): an executable with the hardened link.
function(sv_add_program name)
	cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
	add_executable(${name} ${A_SOURCES})
	target_link_libraries(${name} PRIVATE ${A_LIBS} sv_warnings)
	target_link_options(${name} PRIVATE $<$<NOT:$<BOOL:$<TARGET_PROPERTY:SV_STATIC>>>:-pie> ${SV_LINK_HARDEN})
endfunction()

# sv_add_test(NAME SOURCES ... LIBS ... [TIMEOUT s]): one cmocka program, labelled "unit".
function(sv_add_test name)
	cmake_parse_arguments(A "" "TIMEOUT" "SOURCES;LIBS;DEFS" ${ARGN})
	if(NOT A_TIMEOUT)
		set(A_TIMEOUT 300)
	endif()
	list(TRANSFORM A_SOURCES PREPEND "${CMAKE_SOURCE_DIR}/tests/unit/" REGEX "^[^/]*$")
	add_executable(${name} ${A_SOURCES})
	target_link_libraries(${name} PRIVATE ${A_LIBS} sv_warnings PkgConfig::CMOCKA)
	target_compile_definitions(${name} PRIVATE SV_SRC="${CMAKE_SOURCE_DIR}" ${A_DEFS})
	add_test(NAME ${name} COMMAND ${name})
	set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT ${A_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()

# sv_add_e2e(NAME [TIMEOUT s]): tests/e2e/NAME.sh through the real binaries, labelled "e2e".
function(sv_add_e2e name)
	cmake_parse_arguments(A "" "TIMEOUT" "" ${ARGN})
	if(NOT A_TIMEOUT)
		set(A_TIMEOUT 300)
	endif()
	add_test(NAME e2e_${name} COMMAND sh "${CMAKE_SOURCE_DIR}/tests/e2e/${name}.sh")
	set_tests_properties(e2e_${name} PROPERTIES LABELS e2e TIMEOUT ${A_TIMEOUT} SKIP_RETURN_CODE 77
		ENVIRONMENT "SV_BIN=${CMAKE_BINARY_DIR}/bin;SV_SRC=${CMAKE_SOURCE_DIR};SV_BUILD=${CMAKE_BINARY_DIR};SV_BUILD_TYPE=${CMAKE_BUILD_TYPE};SV_TESTING=${SV_TESTING}")
endfunction()

# All programs land in one directory of the build tree, so that sv finds sv-agent beside itself as it does when installed.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
