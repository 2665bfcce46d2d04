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
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(libevent REQUIRED IMPORTED_TARGET libevent libevent_openssl libevent_pthreads)
# Only needed before the standard library has std::expected.
find_package(tl-expected QUIET)
