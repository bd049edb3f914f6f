#include "text/corpus/class_names.h"

#include <algorithm>
#include <cassert>
#include <set>

#include <fmt/format.h>

#include "surprisal/error.h"

namespace surprisal {
namespace {

constexpr std::size_t kMostClasses = 4096;

bool is_digits(const std::string& name) {
  return !name.empty() && name.find_first_not_of("0123456789") == name.npos;
}

// Of digits without leading zeros the longer number is the larger one.
bool is_less(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace

std::vector<std::string> find_class_names(const std::vector<std::string>& files,
                                          const CorpusOptions& options) {
  assert(options.records.labels.names.empty());
  std::set<std::string> found;
  read_corpus(files, options, [&](Document&& document) {
    found.insert(document.class_names.begin(), document.class_names.end());
    if (found.size() <= kMostClasses) return;
    throw Error(ErrorKind::data, {.what = "the labels are too many to be classes",
                                  .where = files.front(),
                                  .found = fmt::format("more than {}", kMostClasses),
                                  .fix = "objective regression predicts numbers"});
  });
  if (found.size() < 2) {
    throw Error(
        ErrorKind::data,
        {.what = "a classifier tells classes apart, and there is one alone",
         .where = files.front(),
         .found = found.empty() ? "none" : *found.begin(),
         .fix = "name all classes by the objective's key `labels`, or look at its key `label_field`"});
  }
  std::vector<std::string> names(found.begin(), found.end());
  if (std::ranges::all_of(names, is_digits)) std::ranges::sort(names, is_less);
  return names;
}

}  // namespace surprisal
