// A specification such as "mlm + 0.5 nsp" or "0.5 causal | 0.5 reverse", ready to make samples.
//   specification = part ('|' part)*     part = [share] sum     sum = [weight] term ('+' [weight] term)*
// `+` joins one objective over tokens with objectives over labels on the same sequence; `|` mixes parts, the
// share being the probability of a sample. In a mixture the first number of a part is its share. Parts that
// read different kinds of documents draw from those of their kind; a corpus here is the whole, or a view of
// one kind where that is said.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "objective/objective.h"
#include "objective/options.h"

namespace surprisal {

struct Term {
  double weight = 1;  // lambda
  std::shared_ptr<const Objective> objective;
};

struct Part {
  std::string name;             // as written, without its share: "mlm + 0.5 nsp"
  double share = 1;             // shares of all parts sum to 1
  std::vector<Term> terms;      // a token objective first, if there is one
  double token_weight() const;  // lambda of the token term, 0 if there is none
  double label_weight() const;
  double choice_weight() const;
};

class Mixture {
 public:
  // Throws Error (usage): bad syntax (with the place), unknown objective (with the nearest name), a sum that
  // cannot exist, shares that sum to 0, a tokenizer without what an objective needs (naming both).
  Mixture(const std::string& specification, const ObjectiveOptions& options, const Tokenizer& tokenizer,
          std::int64_t sequence_length);

  const std::string& specification() const { return specification_; }
  std::int64_t sequence_length() const { return sequence_length_; }
  SampleExtent extent() const;  // no sample of any part goes beyond it, but for what largest_sample() says
  // Of the parts that read the view's kind: see Objective.
  LargestSample largest_sample(const TokenCorpus& view) const;
  const std::vector<Part>& parts() const { return parts_; }
  bool has_tokens() const;
  bool has_labels() const;
  // Bits per byte are defined: one objective predicts every token of a text once. Several directions are no
  // code of a text: what one window takes as context another predicts.
  bool covers_text() const;
  bool decoder() const;  // every part is one
  std::int32_t classes() const;
  std::int32_t segments() const;
  // Of the label objective, as its classes are the same in all parts; none without one.
  Classifier classifier() const;
  std::vector<std::string> class_names() const;
  // What its parts read, in the order of the first of each; and the share of samples made of that. Parts
  // without a share count for nothing.
  const std::vector<DocumentKind>& kinds() const { return kinds_; }
  double share(DocumentKind kind) const { return shares_[static_cast<std::size_t>(kind)]; }

  // One sample (see Objective::build) of a corpus of `key`'s kind. The part is drawn from the key, among
  // those that read that kind; sequence[0] tells it, and key and document.
  std::int64_t build(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor,
                     Stream& sample) const;

  // Of the sample of `key`: see Objective.
  std::int32_t group(const SampleKey& key) const;
  SampleNotes notes(const SampleKey& key, const Stream& sample) const;

  std::vector<std::string> remarks(const TokenCorpus& corpus) const;  // of the whole: see Objective

  // Throws Error (data) where a part finds no document of its kind, or no sample can be made of them.
  void check_corpus(const TokenCorpus& corpus) const;
  // The same of the parts that read one kind, of whose documents `view` holds those there are. `where` names
  // the whole in errors.
  void check_documents(const TokenCorpus& view, DocumentKind kind, const std::string& where = {}) const;

 private:
  std::size_t draw_part(const SampleKey& key) const;
  // Of the part: the objective that lays out its samples. One over labels stands last, and one over tokens
  // then acts on what it laid.
  const Objective& builder(std::size_t part) const { return *parts_[part].terms.back().objective; }
  DocumentKind reads(std::size_t part) const { return builder(part).traits().reads; }

  std::string specification_;
  std::int64_t sequence_length_;
  std::vector<Part> parts_;
  std::vector<DocumentKind> kinds_;
  std::array<double, kDocumentKinds> shares_{};
};

}  // namespace surprisal
