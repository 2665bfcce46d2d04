# Every outside library, found once: CMake packages first, pkg-config where a distribution ships no
# package file. `packaging/dependencies` installs them on Debian.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(CURL 7.88 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(LibArchive REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(Iconv REQUIRED)
find_package(ZLIB REQUIRED)
# Its flags decide the layout of its classes (-DCPPHTTPLIB_OPENSSL_SUPPORT and others): never without.
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
find_package(SQLite3 3.40 REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(pcre2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
# Its header only: the library is loaded when a keyring is asked for a key.
pkg_check_modules(libsystemd libsystemd>=246)
pkg_check_modules(libevent REQUIRED IMPORTED_TARGET libevent libevent_openssl libevent_pthreads)
# Neither a package file nor a pkg-config file in Debian: the library and its header.
find_package(cctz CONFIG QUIET)
if(NOT TARGET cctz::cctz)
  find_library(CCTZ_LIBRARY cctz REQUIRED)
  find_path(CCTZ_INCLUDE_DIR cctz/time_zone.h REQUIRED)
  mark_as_advanced(CCTZ_LIBRARY CCTZ_INCLUDE_DIR)
  add_library(cctz::cctz UNKNOWN IMPORTED)
  set_target_properties(cctz::cctz PROPERTIES
    IMPORTED_LOCATION "${CCTZ_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${CCTZ_INCLUDE_DIR}")
endif()
# Only needed before the standard library has std::expected.
find_package(tl-expected QUIET)
