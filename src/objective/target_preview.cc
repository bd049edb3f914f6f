#include "objective/target_preview.h"

#include <span>
#include <utility>

#include <fmt/format.h>

#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

constexpr std::size_t kExamples = 2;
constexpr std::size_t kShown = 300;  // most bytes of a stretch that are shown

// Control characters would act on a terminal.
std::string on_one_line(std::string_view text) {
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (point.value == '\n') {
      line += "\\n";
    } else if (point.value == '\t') {
      line += "\\t";
    } else if (point.value == '\r') {
      line += "\\r";
    } else if (point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0)) {
      line += '?';
    } else {
      line += text.substr(at, point.size);
    }
    at += point.size;
  }
  return line;
}

bool begins_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

std::string shortened(const std::string& text) {
  if (text.size() <= kShown) return text;
  std::size_t begin = kShown / 2, end = text.size() - kShown / 2;
  while (!begins_character(text[begin])) --begin;
  while (end < text.size() && !begins_character(text[end])) ++end;
  return fmt::format("{} [... {} bytes ...] {}", text.substr(0, begin), end - begin, text.substr(end));
}

struct Stretch {
  std::vector<std::int32_t> ids{};
  bool targets = false;
};

// The tokens of a sequence, with the one that its last row predicts: no row holds that.
std::vector<Stretch> stretches_of(const Stream& sample) {
  std::vector<bool> scored(static_cast<std::size_t>(sample.size()) + 1);
  for (const Target& target : sample.target) scored[static_cast<std::size_t>(target.row) + 1] = true;
  std::vector<std::int32_t> ids(sample.token);
  if (scored.back()) ids.push_back(sample.target.back().id);
  std::vector<Stretch> stretches;
  for (std::size_t index = 0; index < ids.size(); ++index) {
    if (stretches.empty() || stretches.back().targets != scored[index])
      stretches.push_back({.targets = scored[index]});
    stretches.back().ids.push_back(ids[index]);
  }
  return stretches;
}

std::string count_line(const std::string& part, const TargetCount& count) {
  return fmt::format("targets     {} of {} rows in {} pair{} (\"{}\")", count.targets, count.rows,
                     count.samples, count.samples == 1 ? "" : "s", part);
}

void add_examples(const TokenCorpus& pairs, const Objective& objective, const Tokenizer& tokenizer,
                  std::uint64_t seed, std::vector<std::string>& lines) {
  std::size_t shown = 0;
  for (std::uint64_t document = 0; document < pairs.documents() && shown < kExamples; ++document) {
    Stream sample;
    objective.build(pairs, {.seed = seed, .document = document, .kind = DocumentKind::pair}, 0, sample);
    if (sample.target.empty()) continue;
    lines.push_back(fmt::format("example {}   {}, targets between >>> and <<<: {}", ++shown,
                                pairs.origin(document), marked_text(sample, tokenizer)));
  }
}

}  // namespace

std::string marked_text(const Stream& sample, const Tokenizer& tokenizer) {
  std::string text;
  for (const Stretch& stretch : stretches_of(sample)) {
    const std::string shown = shortened(on_one_line(tokenizer.decode(stretch.ids)));
    text += stretch.targets ? fmt::format(">>>{}<<<", shown) : shown;
  }
  return text;
}

std::vector<std::string> preview_targets(const TokenCorpus& corpus, const Mixture& mixture,
                                         const Tokenizer& tokenizer, std::uint64_t seed) {
  std::vector<std::string> lines;
  for (const Part& part : mixture.parts()) {
    const Objective& objective = *part.terms.back().objective;
    if (objective.traits().reads != DocumentKind::pair || part.share == 0) continue;
    const TokenCorpus pairs = corpus.of_kind(DocumentKind::pair);
    const TargetCount count = objective.count_targets(pairs);
    if (count.samples == 0) continue;
    lines.push_back(count_line(part.name, count));
    add_examples(pairs, objective, tokenizer, seed, lines);
  }
  return lines;
}

}  // namespace surprisal
