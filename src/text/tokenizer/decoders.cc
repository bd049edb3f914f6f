#include "text/tokenizer/decoders.h"

#include <charconv>
#include <limits>
#include <optional>

#include "text/tokenizer/component_json.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

// The byte of "<0x41>".
std::optional<char> byte_of(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece.back() != '>') return std::nullopt;
  std::string_view digits = piece.substr(3, 2);
  unsigned value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + 2, value, 16);
  if (error != std::errc() || end != digits.data() + 2) return std::nullopt;
  return static_cast<char>(value);
}

}  // namespace

void BpeDecoder::decode(std::vector<std::string>& pieces) const {
  if (suffix_.empty()) return;
  for (std::string& piece : pieces) {
    std::string result;
    std::size_t done = 0;
    for (std::size_t at = piece.find(suffix_); at != std::string::npos; at = piece.find(suffix_, done)) {
      result.append(piece, done, at - done);
      if (&piece != &pieces.back()) result += ' ';
      done = at + suffix_.size();
    }
    piece = result.append(piece, done);
  }
}

std::unique_ptr<Decoder> BpeDecoder::create(const Json& json, const std::string& where) {
  return std::make_unique<BpeDecoder>(get_string(json, "suffix", where));
}

void FuseDecoder::decode(std::vector<std::string>& pieces) const {
  std::string all;
  for (const std::string& piece : pieces) all += piece;
  pieces.assign(1, all);
}

std::unique_ptr<Decoder> FuseDecoder::create(const Json&, const std::string&) {
  return std::make_unique<FuseDecoder>();
}

StripDecoder::StripDecoder(const Json& json, const std::string& where)
    : start_(get_int(json, "start", where, 0, std::numeric_limits<std::int64_t>::max())),
      stop_(get_int(json, "stop", where, 0, std::numeric_limits<std::int64_t>::max())) {
  append_utf8(get_character(json, "content", where), content_);
}

void StripDecoder::decode(std::vector<std::string>& pieces) const {
  for (std::string& piece : pieces) {
    std::string_view left = piece;
    for (std::int64_t i = 0; i < start_ && left.starts_with(content_); ++i)
      left.remove_prefix(content_.size());
    for (std::int64_t i = 0; i < stop_ && left.ends_with(content_); ++i) left.remove_suffix(content_.size());
    piece = std::string(left);
  }
}

std::unique_ptr<Decoder> StripDecoder::create(const Json& json, const std::string& where) {
  return std::make_unique<StripDecoder>(json, where);
}

void ByteFallbackDecoder::decode(std::vector<std::string>& pieces) const {
  std::vector<std::string> result;
  std::string bytes;
  auto flush = [&] {
    if (bytes.empty()) return;
    if (find_invalid_utf8(bytes) == std::string_view::npos) {
      result.push_back(bytes);
    } else {
      std::string replacement;
      append_utf8(kReplacementCharacter, replacement);
      result.insert(result.end(), bytes.size(), replacement);
    }
    bytes.clear();
  };
  for (std::string& piece : pieces) {
    if (std::optional<char> byte = byte_of(piece)) {
      bytes += *byte;
      continue;
    }
    flush();
    result.push_back(std::move(piece));
  }
  flush();
  pieces = std::move(result);
}

std::unique_ptr<Decoder> ByteFallbackDecoder::create(const Json&, const std::string&) {
  return std::make_unique<ByteFallbackDecoder>();
}

}  // namespace surprisal
