// Metaspace, as SentencePiece has it: blanks become a visible character (▁), and every word begins with it.
#pragma once

#include <memory>
#include <string>

#include "core/json.h"
#include "text/tokenizer/components.h"

namespace surprisal {

struct MetaspaceOptions {
  enum class Prepend { always, first, never };
  char32_t replacement = 0x2581;
  Prepend prepend = Prepend::always;  // before a word that does not begin with it; `first`: of the whole text
  bool split = true;                  // cut before every replacement

  static MetaspaceOptions read(const Json& json, const std::string& where);
};

class MetaspacePreTokenizer final : public PreTokenizer {
 public:
  explicit MetaspacePreTokenizer(const MetaspaceOptions& options);
  void pre_tokenize(Words& words) const override;
  bool needs_origins() const override { return options_.prepend == MetaspaceOptions::Prepend::first; }
  static std::unique_ptr<PreTokenizer> create(const Json& json, const std::string& where);

 private:
  MetaspaceOptions options_;
  std::string replacement_;
};

class MetaspaceDecoder final : public Decoder {
 public:
  explicit MetaspaceDecoder(const MetaspaceOptions& options);
  void decode(std::vector<std::string>& pieces) const override;
  static std::unique_ptr<Decoder> create(const Json& json, const std::string& where);

 private:
  bool drop_first_;
  std::string replacement_;
};

}  // namespace surprisal
