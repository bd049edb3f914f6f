# cmake -D BUILD= -D SOURCE= -D WORK= -D CXX= -D CXX_FLAGS= -D PROGRAM= -D CONFIG= -P run.cmake
# Installs BUILD under WORK, then uses what is installed as others would: by find_package, by pkg-config, as a program.
cmake_minimum_required(VERSION 3.25)
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first)
# Moved, so that a path of the build or of the first prefix in an installed file is found out.
file(RENAME ${WORK}/first ${WORK}/prefix)

run(${CMAKE_COMMAND} -S ${SOURCE}/tests/install -B ${WORK}/build -G Ninja -D CMAKE_PREFIX_PATH=${WORK}/prefix
  -D CMAKE_CXX_COMPILER=${CXX} -D CMAKE_CXX_FLAGS=${CXX_FLAGS} -D EXAMPLES=${SOURCE}/examples
  -D HEADERS=${WORK}/prefix/include)
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer ${WORK}/found)

# The examples of docs/api.md, on the text that the consumer wrote.
file(MAKE_DIRECTORY ${WORK}/example)
run(${WORK}/build/example_train ${WORK}/found/text.txt ${WORK}/example/run 2)
run(${WORK}/build/example_score ${WORK}/example/run/latest "the cat sat")
run(${WORK}/build/example_generate ${WORK}/example/run/latest "the cat sat")

file(GLOB_RECURSE pc ${WORK}/prefix/*/surprisal.pc)
cmake_path(GET pc PARENT_PATH pc_directory)
set(ENV{PKG_CONFIG_PATH} ${pc_directory})
execute_process(COMMAND pkg-config --cflags --libs surprisal OUTPUT_VARIABLE flags COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(flags UNIX_COMMAND "${flags}")
separate_arguments(build_flags UNIX_COMMAND "${CXX_FLAGS}")
run(${CXX} -std=c++20 ${build_flags} ${SOURCE}/tests/install/main.cc -o ${WORK}/consumer ${flags})
run(${WORK}/consumer ${WORK}/configured)

if(PROGRAM)
  run(${WORK}/prefix/bin/surprisal --version)
  run(bash ${SOURCE}/tests/install/check_completion ${WORK}/prefix)
endif()

# What is installed speaks of nothing that is not, and the archive neither prints nor ends the process.
run(sh ${SOURCE}/tests/install/check_installed ${WORK}/prefix ${SOURCE} ${BUILD} "${CONFIG}")
