// The four Unicode normalization forms, as Hugging Face has them: by the tables of Unicode 9, so code points
// that came later stay as they are.
#pragma once

#include <memory>
#include <string>

#include "core/json.h"
#include "text/tokenizer/components.h"

namespace surprisal {

enum class NormalizationForm { nfc, nfd, nfkc, nfkd };

class UnicodeNormalizer final : public Normalizer {
 public:
  explicit UnicodeNormalizer(NormalizationForm form) : form_(form) {}
  void normalize(AlignedText& text) const override;

  template <NormalizationForm form>
  static std::unique_ptr<Normalizer> create(const Json&, const std::string&) {
    return std::make_unique<UnicodeNormalizer>(form);
  }

 private:
  NormalizationForm form_;
};

}  // namespace surprisal
