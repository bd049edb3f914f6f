#include "surprisal/error.h"

#include <utility>

namespace surprisal {
namespace {

std::string one_line(const ErrorParts& parts) {
  std::string text = parts.where.empty() ? parts.what : parts.where + ": " + parts.what;
  if (!parts.found.empty()) text += ": found " + parts.found;
  if (!parts.expected.empty()) text += (parts.found.empty() ? ": expected " : ", expected ") + parts.expected;
  if (!parts.fix.empty()) text += "; " + parts.fix;
  return text;
}

}  // namespace

Error::Error(ErrorKind kind, ErrorParts parts)
    : kind_(kind), parts_(std::move(parts)), message_(one_line(parts_)) {}

}  // namespace surprisal
