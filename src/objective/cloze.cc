#include "objective/cloze.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "objective/blank_layout.h"
#include "objective/blank_window.h"
#include "objective/layout.h"
#include "objective/requirements.h"
#include "stream/packing.h"
#include "text/tokenizer/special_tokens.h"

namespace surprisal {
namespace {

constexpr const char* kName = "cloze";
constexpr ObjectiveTraits kPieceTraits{
    .name = kClozeTraits.name, .kind = kClozeTraits.kind, .reads = kClozeTraits.reads, .own_sight = true};

// A choice of the corpus, and how many rows it takes.
struct Question {
  TokenDocument document;
  std::size_t mask = 0;       // its index in the text
  std::size_t options = 0;    // how many
  std::int64_t longest = 0;   // tokens of the longest option
  bool single_token = false;  // all options are targets of one row

  std::span<const std::int32_t> option(std::size_t k) const { return document.part(k + 1); }
};

PiecePosition position_of(const ObjectiveOptions& options) {
  const bool own = options.cloze.position != "as_blank_infilling";
  return own ? piece_position("objective.cloze.position", options.cloze.position)
             : piece_position("objective.blank_infilling.position", options.blank_infilling.position);
}

class Cloze : public Objective {
 public:
  Cloze(const ObjectiveOptions& options, const Tokenizer& tokenizer, std::int64_t sequence_length)
      : options_(options.cloze),
        special_(tokenizer.special()),
        pieces_(special_.sop.has_value()),
        length_(sequence_length) {
    require_choice("objective.cloze.form", options_.form, {"auto", "single_token", "multi_token"});
    require_blank_token(kName, BlankToken::mask, tokenizer);
    if (options.blank_infilling.special_tokens || !pieces_) frame_ = BlankSurround::of(kName, tokenizer);
    if (pieces_) {
      layout_.start_of_piece = *special_.sop;
      layout_.end_of_piece = require_blank_token(kName, BlankToken::end_of_piece, tokenizer);
      layout_.position = position_of(options);
      if (!options_.end_of_text) frame_.after.clear();
    } else if (options_.form == "multi_token") {
      require_blank_token(kName, BlankToken::start_of_piece, tokenizer);
    }
    require_length(kName, sequence_length, rows(1, 1));
  }

  const ObjectiveTraits& traits() const override { return pieces_ ? kPieceTraits : kClozeTraits; }

  SampleExtent extent(std::int64_t sequence_length) const override {
    const bool counted = pieces_ && layout_.position == PiecePosition::two_dimensional;
    return {.rows = sequence_length,
            .positions = sequence_length,
            .block_positions = counted ? sequence_length : 1};
  }

  std::int64_t build(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor,
                     Stream& sample) const override;

  LargestSample largest_sample(const TokenCorpus& corpus) const override;

  std::vector<std::string> remarks(const TokenCorpus& corpus) const override;

  SampleNotes notes(const SampleKey& key, const Stream& sample) const override;

 private:
  // Rows of a sequence with so many tokens of text and of the option in its blank.
  std::int64_t rows(std::int64_t text, std::int64_t option) const {
    return std::ssize(frame_.before) + text + std::ssize(frame_.after) + (pieces_ ? 1 + option : 0);
  }
  std::int64_t rows(const Question& question, std::int64_t text, std::int64_t option) const {
    return rows(text, question.single_token ? 0 : option);
  }

  Question read(const TokenCorpus& corpus, std::uint64_t index) const;
  void check_form(const Question& question, const std::string& where) const;
  void check_length(const Question& question, const std::string& where) const;
  void check_distinct(const Question& question, const std::string& where) const;
  Blank keep(const Question& question) const;
  std::vector<std::int32_t> context(const Question& question, const Blank& kept) const;
  void lay_out(const Question& question, const SampleKey& key, Stream& sample) const;
  void lay_out_single(const Question& question, const SampleKey& key, Stream& sample) const;
  float weight(std::int64_t targets) const {
    return static_cast<float>(std::pow(static_cast<double>(targets), -options_.length_penalty));
  }

  ClozeOptions options_;
  SpecialTokens special_;
  bool pieces_;  // an option is a piece behind the text; else its token stands at the mask's own row
  BlankSurround frame_{};
  BlankLayout layout_;
  std::int64_t length_;
};

[[noreturn]] void fail(std::string what, const std::string& where, std::string found, std::string expected,
                       std::string fix = {}) {
  throw Error(ErrorKind::data, {.what = std::move(what),
                                .where = where,
                                .found = std::move(found),
                                .expected = std::move(expected),
                                .fix = std::move(fix)});
}

Question Cloze::read(const TokenCorpus& corpus, std::uint64_t index) const {
  Question question{.document = corpus.document(index)};
  const std::string where = corpus.origin(index);
  const std::span<const std::int32_t> text = question.document.part(0);
  const auto is_blank = [&](std::int32_t id) {
    return pieces_ ? is_mask(special_, id) : id == special_.mask;
  };
  const auto masks = std::count_if(text.begin(), text.end(), is_blank);
  if (masks != 1) fail("the text of a choice has one mask", where, fmt::format("{}", masks), "1");
  question.mask = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_blank) - text.begin());
  question.options = question.document.sentences.size() - 1;
  for (std::size_t k = 0; k < question.options; ++k) {
    question.longest = std::max<std::int64_t>(question.longest, std::ssize(question.option(k)));
  }
  check_distinct(question, where);
  check_form(question, where);
  question.single_token = question.longest == 1 && options_.form != "multi_token";
  check_length(question, where);
  return question;
}

// Two options of the same tokens have the same surprisal: which one is right could not be learnt, nor told.
void Cloze::check_distinct(const Question& question, const std::string& where) const {
  std::vector<std::size_t> order(question.options);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto less = [&](std::size_t a, std::size_t b) {
    const auto first = question.option(a), second = question.option(b);
    return std::lexicographical_compare(first.begin(), first.end(), second.begin(), second.end());
  };
  std::stable_sort(order.begin(), order.end(), less);
  const auto twice = std::adjacent_find(order.begin(), order.end(),
                                        [&](std::size_t a, std::size_t b) { return !less(a, b); });
  if (twice == order.end()) return;
  fail("two options of the choice are the same tokens", where,
       fmt::format("options {} and {}", *twice, *(twice + 1)), "options that differ");
}

void Cloze::check_form(const Question& question, const std::string& where) const {
  if (question.longest == 1 || (pieces_ && options_.form != "single_token")) return;
  std::size_t k = 0;
  while (question.option(k).size() == 1) ++k;
  fail(fmt::format("option {} of the choice is several tokens", k), where,
       fmt::format("{}", question.option(k).size()), "1",
       pieces_ ? "set objective.cloze.form = \"auto\", or choose options of one token"
               : "choose options of one token: a model without pieces fills a mask with one");
}

// Room for the mask itself beside the longest option.
void Cloze::check_length(const Question& question, const std::string& where) const {
  if (rows(question, 1, question.longest) <= length_) return;
  std::size_t k = 0;
  while (std::ssize(question.option(k)) < question.longest) ++k;
  fail(fmt::format("option {} of the choice leaves no room for its text", k), where,
       fmt::format("{} tokens", question.longest),
       fmt::format("at most {} in sequences of {}", length_ - rows(1, 0), length_),
       "raise data.sequence_length");
}

// What stays of the text beside the longest option: tokens furthest from the mask are left out, on the side
// that has more of them, so that the words around the blank stay, and all options see the same.
Blank Cloze::keep(const Question& question) const {
  const auto size = std::ssize(question.document.part(0)), mask = static_cast<std::ptrdiff_t>(question.mask);
  const std::int64_t room = std::min<std::int64_t>(size, length_ - rows(question, 0, question.longest));
  const std::int64_t begin = std::clamp<std::int64_t>(mask - (room - 1) / 2, 0, size - room);
  return {static_cast<std::int32_t>(begin), static_cast<std::int32_t>(begin + room)};
}

std::vector<std::int32_t> Cloze::context(const Question& question, const Blank& kept) const {
  const auto text = question.document.part(0).subspan(kept.begin, kept.size());
  std::vector<std::int32_t> rows = frame_.before;
  rows.insert(rows.end(), text.begin(), text.end());
  rows.insert(rows.end(), frame_.after.begin(), frame_.after.end());
  return rows;
}

std::int64_t Cloze::build(const TokenCorpus& corpus, const SampleKey& key, std::int64_t,
                          Stream& sample) const {
  const Question question = read(corpus, key.document);
  question.single_token ? lay_out_single(question, key, sample) : lay_out(question, key, sample);
  return std::ssize(question.document.tokens);
}

// Every option a sequence of its own.
void Cloze::lay_out(const Question& question, const SampleKey& key, Stream& sample) const {
  const Blank kept = keep(question);
  const std::vector<std::int32_t> text = context(question, kept);
  const std::int32_t mask_row =
      static_cast<std::int32_t>(std::ssize(frame_.before) + question.mask) - kept.begin;
  BlankLayout layout = layout_;
  layout.mask = text[mask_row];
  Choice choice;
  choice.answer = question.document.label;
  for (std::size_t k = 0; k < question.options; ++k) {
    const std::span<const std::int32_t> option = question.option(k);
    std::vector<std::int32_t> filled(text.begin(), text.begin() + mask_row);
    filled.insert(filled.end(), option.begin(), option.end());
    filled.insert(filled.end(), text.begin() + mask_row + 1, text.end());
    Stream sequence;
    const std::size_t order[] = {0};
    lay_out_blanks(filled, {{mask_row, mask_row + static_cast<std::int32_t>(option.size())}}, order, layout,
                   key, sequence);
    for (Target& target : sequence.target) target.weight = weight(std::ssize(sequence.target));
    const auto first = static_cast<std::int32_t>(sample.target.size());
    append(sample, sequence);
    choice.option.push_back({first, static_cast<std::int32_t>(sample.target.size())});
  }
  sample.choice.push_back(std::move(choice));
}

// All options targets of one row: of start-of-piece, or of the mask.
void Cloze::lay_out_single(const Question& question, const SampleKey& key, Stream& sample) const {
  const Blank kept = keep(question);
  const std::vector<std::int32_t> text = context(question, kept);
  std::int32_t row = static_cast<std::int32_t>(std::ssize(frame_.before) + question.mask) - kept.begin;
  if (pieces_) {
    BlankLayout layout = layout_;
    layout.mask = text[row];
    layout.end_of_piece.reset();
    const std::size_t order[] = {0};
    row = lay_out_blanks(text, {{row, row + 1}}, order, layout, key, sample).front();
    sample.target.clear();
  } else {
    sample.token = text;
    sample.visible.assign(text.size(), {0, sample.size()});
    sample.segment.assign(text.size(), 0);
    number_rows(key, sample);
  }
  Choice choice;
  choice.answer = question.document.label;
  for (std::size_t k = 0; k < question.options; ++k) {
    const auto first = static_cast<std::int32_t>(k);
    sample.target.push_back({row, question.option(k).front(), 1});
    choice.option.push_back({first, first + 1});
  }
  sample.choice.push_back(std::move(choice));
}

LargestSample Cloze::largest_sample(const TokenCorpus& corpus) const {
  LargestSample largest;
  for (std::uint64_t index = 0; index < corpus.documents(); ++index) {
    const Question question = read(corpus, index);
    const std::int64_t text = keep(question).size(), count = static_cast<std::int64_t>(question.options);
    std::int64_t size = std::max(rows(question, text, 0), count);
    if (!question.single_token) {
      size = 0;
      for (std::size_t k = 0; k < question.options; ++k) size += rows(text, std::ssize(question.option(k)));
    }
    if (size > largest.rows) largest = {.rows = size, .document = index};
  }
  return largest;
}

std::vector<std::string> Cloze::remarks(const TokenCorpus& corpus) const {
  std::uint64_t cut = 0;
  for (std::uint64_t index = 0; index < corpus.documents(); ++index) {
    const Question question = read(corpus, index);
    cut += keep(question).size() < std::ssize(question.document.part(0));
  }
  if (cut == 0) return {};
  return {
      fmt::format("objective {}: {} of {} texts {} too long for a sequence of {} and {} cut around the mask",
                  kName, cut, corpus.documents(), cut == 1 ? "is" : "are", length_, cut == 1 ? "is" : "are")};
}

SampleNotes Cloze::notes(const SampleKey&, const Stream& sample) const {
  SampleNotes notes;
  notes.rows.resize(sample.token.size());
  for (std::size_t k = 0; k < sample.sequence.size(); ++k) {
    const Sequence& sequence = sample.sequence[k];
    for (std::int32_t row = sequence.begin; row < sequence.end; ++row) {
      const std::int32_t id = sample.token[row];
      const bool piece = pieces_ && row >= sample.visible[sequence.begin].end;
      if (piece) notes.rows[row] = sample.sequence.size() == 1 ? "options" : fmt::format("option {}", k);
      if (!piece && is_mask(special_, id)) notes.rows[row] = "blank";
    }
  }
  return notes;
}

}  // namespace

std::shared_ptr<const Objective> make_cloze(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                            std::int64_t sequence_length) {
  return std::make_shared<Cloze>(options, tokenizer, sequence_length);
}

}  // namespace surprisal
