# Language, warnings and sanitizers, as two interface targets that every target links.
add_library(batchllm_settings INTERFACE)
target_compile_features(batchllm_settings INTERFACE cxx_std_20)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
target_include_directories(batchllm_settings INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_definitions(batchllm_settings INTERFACE
  BATCHLLM_VERSION="${PROJECT_VERSION}"
  $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
target_compile_options(batchllm_settings INTERFACE -fno-omit-frame-pointer)
# A program loads only the libraries that it calls.
target_link_options(batchllm_settings INTERFACE LINKER:--as-needed)
if(BATCHLLM_SANITIZE)
  target_compile_options(batchllm_settings INTERFACE "-fsanitize=${BATCHLLM_SANITIZE}" -fno-sanitize-recover=all)
  target_link_options(batchllm_settings INTERFACE "-fsanitize=${BATCHLLM_SANITIZE}")
else()
  target_compile_options(batchllm_settings INTERFACE
    $<$<CONFIG:Release,RelWithDebInfo>:-fstack-protector-strong>)
  target_compile_definitions(batchllm_settings INTERFACE
    $<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>)
  target_link_options(batchllm_settings INTERFACE -Wl,-z,relro,-z,now)
endif()
if(BATCHLLM_COVERAGE)
  target_compile_options(batchllm_settings INTERFACE --coverage)
  target_link_options(batchllm_settings INTERFACE --coverage)
endif()

add_library(batchllm_warnings INTERFACE)
target_compile_options(batchllm_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align
  -Wdouble-promotion -Wextra-semi -Wimplicit-fallthrough -Wformat=2 -Wundef
  $<$<CXX_COMPILER_ID:GNU>:-Wlogical-op -Wduplicated-cond -Wsuggest-override>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Wunreachable-code -Winconsistent-missing-destructor-override>
  $<$<BOOL:${BATCHLLM_WARNINGS_AS_ERRORS}>:-Werror>)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
  set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()
