// GLM-130B's tokenizer: a SentencePiece model of 130,000 pieces behind the ids of 20,000 images, and behind
// that the special tokens, the tab and runs of blanks. A line's end is the piece <n>.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"
#include "text/sentencepiece/model_file.h"
#include "text/tokenizer/components.h"

namespace surprisal {

inline constexpr std::int64_t kIcetkImages = 20000, kIcetkPieces = 130000;

// The file's model with all of that around its pieces: [MASK] is 150000, [gMASK] 150001, [sMASK] 150002,
// <eod> 150003, <sop> 150004, <eop> 150005, <ENC> 150006, <dBLOCK> 150007, <|tab|> 150008, <|blank_2|> to
// <|blank_80|> 150009 to 150087. Throws Error (data) where the file has not just so many pieces, or no <n>.
SentencePieceModel icetk_model(SentencePieceModel file, const std::string& where);

// Writes lines' ends, tabs and runs of blanks as their pieces, the longest runs first.
class IcetkNormalizer final : public Normalizer {
 public:
  void normalize(AlignedText& text) const override;
};

// And back.
class IcetkDecoder final : public Decoder {
 public:
  void decode(std::vector<std::string>& pieces) const override;
};

// What IcetkNormalizer does, in the components of Hugging Face.
OrderedJson icetk_normalizers();

}  // namespace surprisal
