// EXPECT_ERROR(statement, kind, message): the statement throws an Error of that kind whose one line is
// `message`, a string or a matcher.
#pragma once

#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "surprisal/error.h"

#define EXPECT_ERROR(statement, error_kind, message)                     \
  do {                                                                   \
    try {                                                                \
      statement;                                                         \
      ADD_FAILURE() << "no Error was thrown";                            \
    } catch (const ::surprisal::Error& error) {                          \
      EXPECT_EQ(error.kind(), ::surprisal::ErrorKind::error_kind);       \
      EXPECT_THAT(std::string(error.what()), ::testing::AllOf(message)); \
    }                                                                    \
  } while (false)

namespace surprisal {

// The message of the Error that the call throws, which is of that kind.
inline std::string error_of(const std::function<void()>& call, ErrorKind kind) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "no error";
}

}  // namespace surprisal
