// Components one after the other.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/tokenizer/components.h"

namespace surprisal {

class NormalizerSequence final : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<const Normalizer>> members)
      : members_(std::move(members)) {}
  void normalize(AlignedText& text) const override {
    for (const auto& member : members_) member->normalize(text);
  }

 private:
  std::vector<std::unique_ptr<const Normalizer>> members_;
};

class PreTokenizerSequence final : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(std::vector<std::unique_ptr<PreTokenizer>> members)
      : members_(std::move(members)) {}
  void pre_tokenize(Words& words) const override {
    for (const auto& member : members_) member->pre_tokenize(words);
  }
  // Only what the last one leaves goes to the model.
  void pre_tokenize_to_bytes(Words& words) const override {
    for (const auto& member : members_) {
      member == members_.back() ? member->pre_tokenize_to_bytes(words) : member->pre_tokenize(words);
    }
  }
  bool needs_origins() const override {
    return std::any_of(members_.begin(), members_.end(),
                       [](const auto& member) { return member->needs_origins(); });
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> members_;
};

class DecoderSequence final : public Decoder {
 public:
  explicit DecoderSequence(std::vector<std::unique_ptr<const Decoder>> members)
      : members_(std::move(members)) {}
  void decode(std::vector<std::string>& pieces) const override {
    for (const auto& member : members_) member->decode(pieces);
  }

 private:
  std::vector<std::unique_ptr<const Decoder>> members_;
};

}  // namespace surprisal
