// A SentencePiece model file: pieces with their scores, and what becomes of text before it is cut.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace surprisal {

struct SentencePieceModel {
  enum class Algorithm : std::uint8_t { unigram = 1, bpe = 2 };
  enum class Type : std::uint8_t {
    image = 0,  // not of the file: an id that no text has (icetk.h)
    normal = 1,
    unknown = 2,
    control = 3,       // has an id, but no text: <s>
    user_defined = 4,  // whole, wherever it stands
    unused = 5,
    byte = 6,  // <0x41>, of characters that are no piece
  };
  struct Piece {
    std::string text;
    float score = 0;
    Type type = Type::normal;
  };

  std::vector<Piece> pieces;  // by id
  Algorithm algorithm = Algorithm::unigram;
  bool byte_fallback = false;
  std::int32_t unknown = 0;                                // id of the one piece of that type
  std::string unknown_surface = " \xE2\x81\x87 ";          // what it is decoded to
  std::int32_t begin_id = 1, end_id = 2, padding_id = -1;  // -1 or past the pieces: there is none
  std::string charsmap;                                    // charsmap.h; empty: characters stay
  bool add_dummy_prefix = true;                            // a blank before the text
  bool remove_extra_whitespaces = true;                    // at both ends, and all but one of a run
  bool escape_whitespaces = true;                          // a blank is written as kSpaceSymbol
  bool keeps_first_blank = false;           // of remove_extra_whitespaces all but the text's beginning
  bool treat_whitespace_as_suffix = false;  // the blank of the dummy prefix goes behind

  bool has(Type type) const;
  // The piece's text where the id is one; else empty.
  std::string_view text(std::int32_t id) const;
};

// U+2581, which stands for a blank.
inline constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";

// From a file's bytes; `where` names it in errors. Fields that are not known are skipped. Throws Error
// (data): a file that is cut off or no such model; of words or characters; without an unknown piece or with
// two; a piece that is empty, too long, there twice or no UTF-8; bytes that are missing; a table of
// characters that is damaged; a denormalizer.
SentencePieceModel read_sentencepiece_model(std::string_view bytes, const std::string& where);

}  // namespace surprisal
