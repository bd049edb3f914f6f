#include "objective/mixture.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "surprisal/error.h"

#include "core/options.h"
#include "objective/registry.h"
#include "objective/specification.h"

namespace surprisal {
namespace {

bool is_tokens(const ObjectiveTraits& traits) {
  return traits.kind == ObjectiveKind::tokens;
}

bool is_labels(const ObjectiveTraits& traits) {
  return traits.kind == ObjectiveKind::labels;
}

// Lays out sequences of its own and acts on no other's.
bool stands_alone(const ObjectiveTraits& traits) {
  return !is_labels(traits) && !traits.joins_labels;
}

// Turns what was written into parts that can be.
class Builder {
 public:
  Builder(const std::string& text, const ObjectiveOptions& options, const Tokenizer& tokenizer,
          std::int64_t sequence_length)
      : text_(text), options_(options), tokenizer_(tokenizer), sequence_length_(sequence_length) {}

  std::vector<Part> parts() const {
    std::vector<WrittenPart> written = parse_specification(text_);
    check_classifier(written);
    check_labels(written);
    double shares = 0;
    for (const WrittenPart& part : written) shares += part.share;
    if (!(shares > 0)) {
      throw specification_error(text_, 0, {.what = "shares sum to 0", .expected = "a share above 0"});
    }
    std::vector<Part> parts;
    for (const WrittenPart& part : written) parts.push_back({part.text, part.share / shares, terms(part)});
    return parts;
  }

 private:
  std::vector<Term> terms(const WrittenPart& part) const {
    std::vector<const ObjectiveEntry*> entries;
    for (const WrittenTerm& term : part.terms) {
      entries.push_back(&entry(term));
      check_sum(part, entries);
    }
    if (std::all_of(part.terms.begin(), part.terms.end(),
                    [](const auto& term) { return term.weight == 0; })) {
      throw specification_error(text_, part.offset,
                                {.what = "nothing would be learnt", .expected = "a weight above 0"});
    }
    std::vector<Term> terms;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      Term term{part.terms[i].weight, entries[i]->make(options_, tokenizer_, sequence_length_)};
      terms.insert(is_tokens(entries[i]->traits) ? terms.begin() : terms.end(), std::move(term));
    }
    return terms;
  }

  const ObjectiveEntry& entry(const WrittenTerm& term) const {
    if (const ObjectiveEntry* found = find_objective(term.name)) return *found;
    std::vector<std::string> names, shown;  // "blank_infilling:token" is one of the variants of a name
    for (const ObjectiveEntry& known : objective_table()) {
      names.emplace_back(known.traits.name);
      if (known.traits.name.find(':') == std::string_view::npos) shown.push_back(names.back());
    }
    std::string near = nearest_name(term.name, names);
    throw specification_error(text_, term.offset,
                              {.what = fmt::format("unknown objective {}", term.name),
                               .expected = fmt::format("one of {}", fmt::join(shown, ", ")),
                               .fix = near.empty() ? "" : fmt::format("did you mean {}?", near)});
  }

  // A classifier stands in place of the vocabulary head, so there is no other objective beside it.
  void check_classifier(const std::vector<WrittenPart>& parts) const {
    if (parts.size() == 1 && parts.front().terms.size() == 1) return;
    for (const WrittenPart& part : parts) {
      for (const WrittenTerm& term : part.terms) {
        if (entry(term).traits.classifier == Classifier::none) continue;
        throw specification_error(
            text_, term.offset,
            {.what = fmt::format("{} cannot be trained with another objective", term.name),
             .fix = "its classifier stands in place of the vocabulary head"});
      }
    }
  }

  // All objectives over labels train the one sentence head, so its classes must mean the same in all parts.
  void check_labels(const std::vector<WrittenPart>& parts) const {
    std::string_view known;
    for (const WrittenPart& part : parts) {
      for (const WrittenTerm& term : part.terms) {
        const ObjectiveTraits& traits = entry(term).traits;
        if (!is_labels(traits)) continue;
        if (known.empty()) known = traits.name;
        if (known == traits.name) continue;
        throw specification_error(
            text_, term.offset,
            {.what = fmt::format("{} and {} cannot be trained together", known, traits.name),
             .fix = "there is one sentence head, and its classes mean something else under each"});
      }
    }
  }

  // Whether the newest of `entries`, the terms of a sum, can stand with those before it.
  void check_sum(const WrittenPart& part, const std::vector<const ObjectiveEntry*>& entries) const {
    const ObjectiveTraits& newest = entries.back()->traits;
    for (std::size_t i = 0; i + 1 < entries.size(); ++i) {
      const ObjectiveTraits& other = entries[i]->traits;
      std::string reason;
      if (newest.kind == other.kind) {
        const char* what = is_tokens(newest) ? "tokens" : is_labels(newest) ? "labels" : "choices";
        reason = fmt::format("a sequence has one objective over {}; '|' mixes sequences", what);
      } else if (stands_alone(newest) || stands_alone(other)) {
        const bool alone = stands_alone(newest);
        reason = fmt::format("{} lays out its own sequence and cannot act on one of {}; '|' mixes sequences",
                             (alone ? newest : other).name, (alone ? other : newest).name);
      }
      if (reason.empty()) continue;
      throw specification_error(
          text_, part.terms[entries.size() - 1].offset,
          {.what = fmt::format("{} + {} cannot be", other.name, newest.name), .fix = std::move(reason)});
    }
  }

  const std::string& text_;
  const ObjectiveOptions& options_;
  const Tokenizer& tokenizer_;
  std::int64_t sequence_length_;
};

Error no_document(const std::string& part, DocumentKind kind, const std::string& where) {
  const auto [reads, fix] = [&]() -> std::pair<const char*, const char*> {
    switch (kind) {
      case DocumentKind::pair:
        return {"pairs",
                "give a .jsonl file of records with \"prompt\" and \"completion\", or of \"messages\""};
      case DocumentKind::choice:
        return {"choices", "give a .jsonl file of records with \"options\" and \"label\""};
      case DocumentKind::labelled:
        return {"labelled texts", "give a .jsonl file of records with a text and its label"};
      case DocumentKind::text:
        break;
    }
    return {"texts", "give text files, or .jsonl files with the field that data.field names"};
  }();
  return Error(
      ErrorKind::data,
      {.what = fmt::format("the data hold nothing for objective \"{}\", which reads {}", part, reads),
       .where = where,
       .fix = fix});
}

double weight_of(const Part& part, ObjectiveKind kind) {
  double weight = 0;
  for (const Term& term : part.terms) {
    if (term.objective->traits().kind == kind) weight += term.weight;
  }
  return weight;
}

// Whether any term of any part satisfies `property`.
template <typename Property>
bool any_term(const std::vector<Part>& parts, Property property) {
  return std::any_of(parts.begin(), parts.end(), [&](const Part& part) {
    return std::any_of(part.terms.begin(), part.terms.end(),
                       [&](const Term& term) { return property(term.objective->traits()); });
  });
}

// Whether every part's first term, its token objective if it has one, satisfies `property`.
template <typename Property>
bool every_part(const std::vector<Part>& parts, Property property) {
  return std::all_of(parts.begin(), parts.end(),
                     [&](const Part& part) { return property(part.terms.front().objective->traits()); });
}

}  // namespace

double Part::token_weight() const {
  return weight_of(*this, ObjectiveKind::tokens);
}
double Part::label_weight() const {
  return weight_of(*this, ObjectiveKind::labels);
}
double Part::choice_weight() const {
  return weight_of(*this, ObjectiveKind::choices);
}

Mixture::Mixture(const std::string& specification, const ObjectiveOptions& options,
                 const Tokenizer& tokenizer, std::int64_t sequence_length)
    : specification_(specification),
      sequence_length_(sequence_length),
      parts_(Builder(specification, options, tokenizer, sequence_length).parts()) {
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    if (parts_[part].share == 0) continue;
    shares_[static_cast<std::size_t>(reads(part))] += parts_[part].share;
    if (std::find(kinds_.begin(), kinds_.end(), reads(part)) == kinds_.end()) kinds_.push_back(reads(part));
  }
  if (kinds_.size() == 1)
    shares_[static_cast<std::size_t>(kinds_.front())] = 1;  // not what rounding makes of it
}

bool Mixture::has_tokens() const {
  return any_term(parts_, is_tokens);
}

bool Mixture::has_labels() const {
  return any_term(parts_, is_labels);
}

bool Mixture::covers_text() const {
  return parts_.size() == 1 && parts_.front().terms.front().objective->traits().covers_text;
}

bool Mixture::decoder() const {
  return every_part(parts_, [](const ObjectiveTraits& traits) { return traits.decoder; });
}

SampleExtent Mixture::extent() const {
  SampleExtent largest;
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    const SampleExtent extent = builder(part).extent(sequence_length_);
    largest.rows = std::max(largest.rows, extent.rows);
    largest.positions = std::max(largest.positions, extent.positions);
    largest.block_positions = std::max(largest.block_positions, extent.block_positions);
  }
  return largest;
}

LargestSample Mixture::largest_sample(const TokenCorpus& view) const {
  LargestSample largest;
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    if (parts_[part].share == 0 || reads(part) != view.kind()) continue;
    const LargestSample own = builder(part).largest_sample(view);
    if (own.rows > largest.rows) largest = own;
  }
  return largest;
}

std::int32_t Mixture::classes() const {
  std::int32_t classes = 0;
  for (const Part& part : parts_) {
    for (const Term& term : part.terms) classes = std::max(classes, term.objective->traits().classes);
  }
  return classes;
}

std::int32_t Mixture::segments() const {
  std::int32_t segments = 1;
  for (const Part& part : parts_) {
    for (const Term& term : part.terms) segments = std::max(segments, term.objective->traits().segments);
  }
  return segments;
}

Classifier Mixture::classifier() const {
  return builder(0).traits().classifier;  // it stands alone
}

std::vector<std::string> Mixture::class_names() const {
  for (const Part& part : parts_) {
    for (const Term& term : part.terms) {
      if (is_labels(term.objective->traits())) return term.objective->class_names();
    }
  }
  return {};
}

std::size_t Mixture::draw_part(const SampleKey& key) const {
  if (parts_.size() == 1) return 0;
  double left = key.random(Purpose::mixture).uniform() * share(key.kind);
  std::size_t drawn = 0;
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    if (parts_[part].share == 0 || reads(part) != key.kind) continue;
    drawn = part;  // the last with a share takes what rounding leaves
    left -= parts_[part].share;
    if (left < 0) break;
  }
  return drawn;
}

std::int64_t Mixture::build(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor,
                            Stream& sample) const {
  std::size_t part = draw_part(key);
  const std::vector<Term>& terms = parts_[part].terms;
  std::int64_t next = builder(part).build(corpus, key, cursor, sample);
  if (terms.size() > 1) terms.front().objective->join(key, sample);
  for (Sequence& sequence : sample.sequence) sequence.part = static_cast<std::int32_t>(part);
  return next;
}

std::int32_t Mixture::group(const SampleKey& key) const {
  return builder(draw_part(key)).group(key);
}

SampleNotes Mixture::notes(const SampleKey& key, const Stream& sample) const {
  return builder(draw_part(key)).notes(key, sample);
}

std::vector<std::string> Mixture::remarks(const TokenCorpus& corpus) const {
  std::vector<std::string> remarks;
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    for (std::string& remark : builder(part).remarks(corpus.of_kind(reads(part)))) {
      if (std::find(remarks.begin(), remarks.end(), remark) == remarks.end()) remarks.push_back(remark);
    }
  }
  return remarks;
}

void Mixture::check_corpus(const TokenCorpus& corpus) const {
  for (DocumentKind kind : kEveryKind) {
    check_documents(corpus.of_kind(kind), kind, corpus.documents() > 0 ? corpus.origin(0) + " and on" : "");
  }
}

void Mixture::check_documents(const TokenCorpus& view, DocumentKind kind, const std::string& where) const {
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    if (reads(part) != kind) continue;
    const bool none = view.documents() == 0;
    if (none && parts_[part].share == 0) continue;
    if (none) throw no_document(parts_[part].name, kind, where);
    for (const Term& term : parts_[part].terms) term.objective->check_corpus(view);
  }
}

}  // namespace surprisal
