# What `cmake --install` lays down: the program, the static library, its headers, a CMake package and a pkg-config file.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS surprisal EXPORT surprisalTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/surprisal DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET surprisal_app)
  install(TARGETS surprisal_app RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  # The man page and completion are printed by the program itself, from its tables of options.
  set(printed)
  foreach(entry man:surprisal.1:${CMAKE_INSTALL_MANDIR}/man1
      bash:surprisal:${CMAKE_INSTALL_DATADIR}/bash-completion/completions
      zsh:_surprisal:${CMAKE_INSTALL_DATADIR}/zsh/site-functions
      fish:surprisal.fish:${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
    string(REPLACE ":" ";" entry ${entry})
    list(GET entry 0 form)
    list(GET entry 1 name)
    list(GET entry 2 folder)
    set(file ${PROJECT_BINARY_DIR}/printed/${form}/${name})
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/printed/${form})
    add_custom_command(OUTPUT ${file} COMMAND surprisal_app completion ${form} > ${file} DEPENDS surprisal_app
      COMMENT "Printing ${name} (${form})")
    list(APPEND printed ${file})
    install(FILES ${file} DESTINATION ${folder})
  endforeach()
  add_custom_target(surprisal_printed ALL DEPENDS ${printed})
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/surprisal)
install(EXPORT surprisalTargets NAMESPACE surprisal:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/surprisalConfig.cmake.in
  ${PROJECT_BINARY_DIR}/surprisalConfig.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may break its users.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/surprisalConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/surprisalConfig.cmake ${PROJECT_BINARY_DIR}/surprisalConfigVersion.cmake
  DESTINATION ${package_dir})

# The prefix is given relative to the file, so that an installed tree may be moved.
file(RELATIVE_PATH prefix_from_pkgconfig ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(${PROJECT_SOURCE_DIR}/cmake/surprisal.pc.in ${PROJECT_BINARY_DIR}/surprisal.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/surprisal.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(FILES LICENSE README.md CHANGELOG.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(SURPRISAL_TESTS)
  # Installs into the build tree, then builds and runs a program against what was installed (tests/install/run.cmake).
  add_test(NAME install.consumer COMMAND ${CMAKE_COMMAND} -D BUILD=${PROJECT_BINARY_DIR} -D SOURCE=${PROJECT_SOURCE_DIR}
    -D WORK=${PROJECT_BINARY_DIR}/tests/install -D CXX=${CMAKE_CXX_COMPILER} -D "CXX_FLAGS=${CMAKE_CXX_FLAGS}"
    -D PROGRAM=$<TARGET_EXISTS:surprisal_app> -D CONFIG=$<CONFIG> -P ${PROJECT_SOURCE_DIR}/tests/install/run.cmake)
  set_tests_properties(install.consumer PROPERTIES TIMEOUT 600)
endif()
