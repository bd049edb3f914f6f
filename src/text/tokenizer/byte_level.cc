#include "text/tokenizer/byte_level.h"

#include <array>

#include "text/tokenizer/component_json.h"
#include "text/tokenizer/scanner.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

constexpr char32_t kLastCharacter = 0x143;  // the 68th that stands for no byte of its own

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

// Every byte's character in UTF-8; all have one or two bytes.
struct Characters {
  std::array<std::array<char, 2>, 256> text{};
  std::array<std::uint8_t, 256> size{};
  std::array<std::int16_t, kLastCharacter + 1> byte{};

  constexpr Characters() {
    byte.fill(-1);
    char32_t next = 0x100;
    for (unsigned b = 0; b < 256; ++b) {
      char32_t c = stands_for_itself(b) ? b : next++;
      byte[c] = static_cast<std::int16_t>(b);
      size[b] = c < 0x80 ? 1 : 2;
      text[b] = c < 0x80 ? std::array{static_cast<char>(c), '\0'}
                         : std::array{static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
    }
  }
};
constexpr Characters kCharacters;

// Adds a word of `text`, byte i of which came from origin[i], in byte-level characters.
void append_word(std::string_view text, const std::uint32_t* origin, ByteSpan word, Words& words) {
  AlignedText& content = words.content;
  std::size_t begin = content.text.size(), end = begin;
  // Room for the most that it may take: this loop sees every byte of a corpus.
  std::size_t most = begin + 2 * (word.end - word.begin);
  content.text.resize(most);
  content.origin.resize(most);
  for (std::uint32_t i = word.begin; i < word.end; ++i) {
    auto byte = static_cast<std::uint8_t>(text[i]);
    for (int k = 0; k < kCharacters.size[byte]; ++k, ++end) {
      content.text[end] = kCharacters.text[byte][static_cast<std::size_t>(k)];
      content.origin[end] = origin[i];
    }
  }
  content.text.resize(end);
  content.origin.resize(end);
  words.spans.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
}

}  // namespace

std::string_view byte_level_character(std::uint8_t byte) {
  return {kCharacters.text[byte].data(), kCharacters.size[byte]};
}

std::optional<std::uint8_t> byte_level_byte(char32_t c) {
  if (c > kLastCharacter || kCharacters.byte[c] < 0) return std::nullopt;
  return static_cast<std::uint8_t>(kCharacters.byte[c]);
}

void ByteLevelPreTokenizer::pre_tokenize(Words& words) const {
  Words result;
  result.content.text.reserve(words.content.text.size() * 5 / 4);
  result.content.origin.reserve(words.content.text.size() * 5 / 4);
  std::vector<ByteSpan> cut;
  Words prefixed;
  for (ByteSpan span : words.spans) {
    std::string_view text = words.word(span);
    const std::uint32_t* origin = words.content.origin.data() + span.begin;
    if (options_.add_prefix_space && text.front() != ' ') {
      prefixed.content.clear();
      prefixed.content.append(" ", origin[0]);
      prefixed.content.text += text;
      prefixed.content.origin.insert(prefixed.content.origin.end(), origin, origin + text.size());
      text = prefixed.content.text;
      origin = prefixed.content.origin.data();
    }
    if (!options_.use_regex) {
      append_word(text, origin, {0, static_cast<std::uint32_t>(text.size())}, result);
      continue;
    }
    cut.clear();
    scan_gpt2(text, 0, cut);
    for (ByteSpan word : cut) append_word(text, origin, word, result);
  }
  words = std::move(result);
}

std::unique_ptr<PreTokenizer> ByteLevelPreTokenizer::create(const Json& json, const std::string& where) {
  return std::make_unique<ByteLevelPreTokenizer>(
      Options{.add_prefix_space = get_bool(json, "add_prefix_space", where),
              .use_regex = get_bool_or(json, "use_regex", where, true)});
}

void ByteLevelDecoder::decode(std::vector<std::string>& pieces) const {
  std::string bytes;
  for (const std::string& piece : pieces) {
    std::size_t before = bytes.size();
    for (std::size_t at = 0; at < piece.size();) {
      std::optional<std::uint8_t> byte = byte_level_byte(next_code_point(piece, at));
      if (!byte) {
        // A spelling with any other character (an added token's) stands for itself.
        bytes.replace(before, std::string::npos, piece);
        break;
      }
      bytes += static_cast<char>(*byte);
    }
  }
  pieces.assign(1, utf8_lossy(bytes));
}

std::unique_ptr<Decoder> ByteLevelDecoder::create(const Json&, const std::string&) {
  return std::make_unique<ByteLevelDecoder>();
}

}  // namespace surprisal
