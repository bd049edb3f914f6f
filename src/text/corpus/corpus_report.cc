#include "text/corpus/corpus_report.h"

#include <fmt/format.h>

namespace surprisal {
namespace {

std::string count(std::uint64_t number, const char* one, const char* many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
}

void add(std::string& list, std::uint64_t number, const char* one, const char* many) {
  if (number > 0) list += (list.empty() ? "" : ", ") + count(number, one, many);
}

}  // namespace

double CorpusReport::bytes_per_token() const {
  return tokens == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(tokens);
}

std::string to_text(const CorpusReport& report) {
  std::string kinds;
  add(kinds, report.pairs, "pair", "pairs");
  add(kinds, report.choices, "choice", "choices");
  add(kinds, report.labelled, "labelled text", "labelled texts");
  if (!kinds.empty()) kinds = fmt::format(" ({})", kinds);
  const std::string repeated =
      report.repeated_files == 0 ? "" : fmt::format(" ({} given again)", report.repeated_files);
  return fmt::format("{}{}, {}{}, {}, {}, {:.2f} bytes a token", count(report.files, "file", "files"),
                     repeated, count(report.documents, "document", "documents"), kinds,
                     count(report.sentences, "sentence", "sentences"),
                     count(report.tokens, "token", "tokens"), report.bytes_per_token());
}

std::string skips_text(const CorpusReport& report) {
  const CorpusSkips& skips = report.skips;
  std::string out;
  add(out, skips.skipped_lines, "line that is not UTF-8", "lines that are not UTF-8");
  add(out, skips.skipped_records, "record that is not UTF-8", "records that are not UTF-8");
  add(out, skips.blank_records, "record without text", "records without text");
  add(out, skips.without_token, "document without a token", "documents without a token");
  add(out, report.other_files, "file of another kind", "files of other kinds");
  if (!out.empty()) out = "left out: " + out;
  if (skips.replaced == 0) return out;
  std::string replaced;
  add(replaced, skips.replaced, "sequence that is no UTF-8", "sequences that are no UTF-8");
  return fmt::format("{}{}replaced by U+FFFD: {}", out, out.empty() ? "" : "; ", replaced);
}

}  // namespace surprisal
