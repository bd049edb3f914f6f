#include "text/tokenizer/bert_normalizer.h"

#include <algorithm>
#include <vector>

#include "text/tokenizer/component_json.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

bool is_removed(char32_t c) {
  static const CodePointSet removed(bert_removed());
  return removed.contains(c);
}

bool is_accent(char32_t c) {
  static const CodePointSet set(accents());
  return set.contains(c);
}

bool is_undecomposed(char32_t c) {
  static const CodePointSet set(undecomposed());
  return set.contains(c);
}

// As Hugging Face has it: the extension E block begins at 2B920 there, a slip of the pen for 2B820.
bool is_chinese(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x2F800 && c <= 0x2FA1F);
}

// The Chinese characters that make up Chinese text: nothing is done to them but blanks put around.
bool is_ideograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF);
}

// The four steps, code point by code point. Only canonical ordering looks further: marks wait for the next
// starter.
class Rewriter {
 public:
  Rewriter(const BertNormalizer::Options& options, AlignedText& out) : options_(options), out_(out) {}

  void clean(char32_t c, std::uint32_t from) {
    if (options_.clean_text) {
      if (is_removed(c)) return;
      if (is_space(c)) c = ' ';
    }
    if (options_.handle_chinese_chars && is_chinese(c)) {
      decompose(' ', from);
      decompose(c, from);
      decompose(' ', from);
    } else {
      decompose(c, from);
    }
  }

  // What clean() does with one that is_ideograph().
  void append_ideograph(std::string_view bytes, std::uint32_t from) {
    flush();
    if (options_.handle_chinese_chars) out_.text += ' ';
    out_.text += bytes;
    if (options_.handle_chinese_chars) out_.text += ' ';
    out_.origin.resize(out_.text.size(), from);
  }

  void flush() {
    if (marks_.empty()) return;
    std::stable_sort(marks_.begin(), marks_.end(), [](Mark a, Mark b) { return a.order < b.order; });
    // Places stay in the order of the text.
    for (std::size_t i = 0; i < marks_.size(); ++i) lower(marks_[i].c, places_[i]);
    marks_.clear();
    places_.clear();
  }

 private:
  struct Mark {
    char32_t c;
    int order;
  };

  void decompose(char32_t c, std::uint32_t from) {
    if (!options_.strip_accents) return lower(c, from);
    if (is_undecomposed(c)) {
      flush();
      return lower(c, from);
    }
    char32_t parts[4];
    int count = canonical_decomposition(c, parts);
    for (int i = 0; i < count; ++i) strip_accent(parts[i], from);
  }

  void strip_accent(char32_t c, std::uint32_t from) {
    int order = combining_class(c);
    if (order == 0) flush();
    if (is_accent(c)) return;
    if (order == 0) return lower(c, from);
    marks_.push_back({c, order});
    places_.push_back(from);
  }

  void lower(char32_t c, std::uint32_t from) {
    char32_t parts[2] = {c, 0};
    int count = options_.lowercase ? lower_case(c, parts) : 1;
    for (int i = 0; i < count; ++i) append_utf8(parts[i], out_.text);
    out_.origin.resize(out_.text.size(), from);
  }

  const BertNormalizer::Options& options_;
  AlignedText& out_;
  std::vector<Mark> marks_;  // that are no accents, since the last starter
  std::vector<std::uint32_t> places_;
};

}  // namespace

BertNormalizer::BertNormalizer(Options options) : options_(options) {
  // ASCII has no marks, so each of its characters is rewritten alone.
  for (char32_t c = 0; c < ascii_.size(); ++c) {
    AlignedText result;
    Rewriter(options_, result).clean(c, 0);
    ascii_[c] = result.text.empty() ? kDropped : static_cast<std::uint8_t>(result.text.front());
  }
}

void BertNormalizer::normalize(AlignedText& text) const {
  AlignedText result = text.successor();
  // Two blanks come to the three bytes of a Chinese character.
  result.text.reserve(text.text.size() + text.text.size() / 4);
  result.origin.reserve(result.text.capacity());
  Rewriter rewriter(options_, result);
  for (std::size_t at = 0; at < text.text.size();) {
    auto begin = static_cast<std::uint32_t>(at);
    while (at < text.text.size() && !(text.text[at] & 0x80)) ++at;
    if (at > begin) {
      rewriter.flush();
      append_ascii(text, {begin, static_cast<std::uint32_t>(at)}, result);
      continue;
    }
    char32_t c = next_code_point(text.text, at);
    if (is_ideograph(c)) {
      rewriter.append_ideograph(std::string_view(text.text).substr(begin, at - begin), text.origin[begin]);
    } else {
      rewriter.clean(c, text.origin[begin]);
    }
  }
  rewriter.flush();
  text = std::move(result);
}

void BertNormalizer::append_ascii(const AlignedText& text, ByteSpan span, AlignedText& result) const {
  std::size_t size = result.text.size(), most = size + (span.end - span.begin);
  result.text.resize(most);
  for (std::uint32_t i = span.begin; i < span.end; ++i) {
    std::uint8_t byte = ascii_[static_cast<std::uint8_t>(text.text[i])];
    result.text[size] = static_cast<char>(byte);
    size += byte != kDropped;
  }
  result.text.resize(size);
  if (size == most) return result.origin.append(text.origin, span.begin, span.end);
  for (std::uint32_t i = span.begin; i < span.end; ++i) {
    bool dropped = ascii_[static_cast<std::uint8_t>(text.text[i])] == kDropped;
    if (!dropped) result.origin.push_back(text.origin[i]);
  }
}

std::unique_ptr<Normalizer> BertNormalizer::create(const Json& json, const std::string& where) {
  bool lowercase = get_bool(json, "lowercase", where);
  return std::make_unique<BertNormalizer>(
      Options{.clean_text = get_bool(json, "clean_text", where),
              .handle_chinese_chars = get_bool(json, "handle_chinese_chars", where),
              .strip_accents = get_bool_or(json, "strip_accents", where, lowercase),
              .lowercase = lowercase});
}

}  // namespace surprisal
