# The one place that gives targets of this project their flags.
function(surprisal_flags target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Werror=return-type
    -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
  set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF)
endfunction()

# surprisal_layer(core SOURCES a.cc b.cc LIBRARIES fmt::fmt): one folder of src/ as an object library.
function(surprisal_layer layer)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT ARG_SOURCES)
    add_library(surprisal_${layer} INTERFACE)
    return()
  endif()
  add_library(surprisal_${layer} OBJECT ${ARG_SOURCES})
  surprisal_flags(surprisal_${layer})
  target_link_libraries(surprisal_${layer} PUBLIC ${ARG_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY SURPRISAL_LAYERS surprisal_${layer})
  set_property(GLOBAL APPEND PROPERTY SURPRISAL_LIBRARIES ${ARG_LIBRARIES})
endfunction()

# surprisal_test(core SOURCES a_test.cc LAYERS core): the tests of one folder as one program, seen by ctest test by test.
function(surprisal_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LAYERS;LIBRARIES" ${ARGN})
  add_executable(${name}_test ${ARG_SOURCES})
  surprisal_flags(${name}_test)
  # What tests call is optimised; they themselves build a third faster so, and run as fast.
  target_compile_options(${name}_test PRIVATE $<$<CONFIG:Release>:-O1>)
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${name}_test PRIVATE SURPRISAL_TEST_DATA="${PROJECT_SOURCE_DIR}/tests")
  list(TRANSFORM ARG_LAYERS PREPEND surprisal_)
  target_link_libraries(${name}_test PRIVATE ${ARG_LAYERS} ${ARG_LIBRARIES} GTest::gmock GTest::gtest_main)
  gtest_discover_tests(${name}_test TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 120
    # Tests run side by side: threads that wait must not spin in the way of the others.
    PROPERTIES TIMEOUT 900 ENVIRONMENT OMP_WAIT_POLICY=passive)
endfunction()

# surprisal_bench(ops SOURCES ops.cc): a benchmark, run by hand.
function(surprisal_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  surprisal_flags(${name})
  target_link_libraries(${name} PRIVATE surprisal ${ARG_LIBRARIES})
endfunction()
