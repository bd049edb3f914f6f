#include "text/tokenizer/metaspace.h"

#include <utility>
#include <vector>

#include "surprisal/error.h"

#include "text/tokenizer/component_json.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

MetaspaceOptions::Prepend read_prepend(const Json& json, const std::string& where) {
  using Prepend = MetaspaceOptions::Prepend;
  // Files of before 2024 have the boolean alone.
  bool prefix = get_bool_or(json, "add_prefix_space", where, true);
  std::string scheme = get_string_or(json, "prepend_scheme", where, prefix ? "always" : "never");
  if (!prefix && scheme != "never") {
    throw Error(ErrorKind::data, {.what = "add_prefix_space contradicts prepend_scheme",
                                  .where = where,
                                  .found = scheme,
                                  .expected = "never"});
  }
  if (scheme == "always") return Prepend::always;
  if (scheme == "first") return Prepend::first;
  if (scheme == "never") return Prepend::never;
  throw Error(ErrorKind::data, {.what = "unknown prepend_scheme",
                                .where = where,
                                .found = scheme,
                                .expected = "always, first or never"});
}

std::string utf8_of(char32_t c) {
  std::string text;
  append_utf8(c, text);
  return text;
}

}  // namespace

MetaspaceOptions MetaspaceOptions::read(const Json& json, const std::string& where) {
  return {.replacement = get_character(json, "replacement", where),
          .prepend = read_prepend(json, where),
          .split = get_bool_or(json, "split", where, true)};
}

MetaspacePreTokenizer::MetaspacePreTokenizer(const MetaspaceOptions& options)
    : options_(options), replacement_(utf8_of(options.replacement)) {}

void MetaspacePreTokenizer::pre_tokenize(Words& words) const {
  Words result{words.content.successor(), {}};
  AlignedText& content = result.content;
  for (ByteSpan span : words.spans) {
    std::string_view text = words.word(span);
    auto begin = static_cast<std::uint32_t>(content.text.size());
    bool first = words.content.origin[span.begin] == 0;
    bool wanted = options_.prepend == MetaspaceOptions::Prepend::always ||
                  (options_.prepend == MetaspaceOptions::Prepend::first && first);
    if (wanted && !text.starts_with(' ') && !text.starts_with(replacement_)) {
      content.append(replacement_, words.content.origin[span.begin]);
    }
    for (std::uint32_t at = span.begin; at < span.end;) {
      auto end = at + 1;
      while (end < span.end && (words.content.text[end] & 0xC0) == 0x80) ++end;
      bool blank = words.content.text[at] == ' ';
      auto before = static_cast<std::uint32_t>(content.text.size());
      bool cuts = blank || std::string_view(words.content.text).substr(at, end - at) == replacement_;
      if (cuts && options_.split && before > begin) {
        result.spans.push_back({begin, before});
        begin = before;
      }
      blank ? content.append(replacement_, words.content.origin[at])
            : content.append(words.content, {at, end});
      at = end;
    }
    result.spans.push_back({begin, static_cast<std::uint32_t>(content.text.size())});
  }
  words = std::move(result);
}

std::unique_ptr<PreTokenizer> MetaspacePreTokenizer::create(const Json& json, const std::string& where) {
  return std::make_unique<MetaspacePreTokenizer>(MetaspaceOptions::read(json, where));
}

MetaspaceDecoder::MetaspaceDecoder(const MetaspaceOptions& options)
    : drop_first_(options.prepend != MetaspaceOptions::Prepend::never),
      replacement_(utf8_of(options.replacement)) {}

void MetaspaceDecoder::decode(std::vector<std::string>& pieces) const {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::string result;
    std::size_t done = 0;
    const std::string& piece = pieces[i];
    for (std::size_t at = piece.find(replacement_); at != piece.npos; at = piece.find(replacement_, done)) {
      result.append(piece, done, at - done);
      if (i > 0 || !drop_first_) result += ' ';
      done = at + replacement_.size();
    }
    pieces[i] = result.append(piece, done);
  }
}

std::unique_ptr<Decoder> MetaspaceDecoder::create(const Json& json, const std::string& where) {
  return std::make_unique<MetaspaceDecoder>(MetaspaceOptions::read(json, where));
}

}  // namespace surprisal
