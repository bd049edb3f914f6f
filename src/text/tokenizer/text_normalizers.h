// Small normalizers: lower case, marks and blanks dropped, a prefix.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "core/json.h"
#include "text/tokenizer/components.h"

namespace surprisal {

// Lower case of every code point, whatever stands around it (no final sigma).
class Lowercase final : public Normalizer {
 public:
  void normalize(AlignedText& text) const override;
  static std::unique_ptr<Normalizer> create(const Json& json, const std::string& where);
};

// Drops all marks, not only the nonspacing ones that BertNormalizer drops, and decomposes nothing.
class StripAccents final : public Normalizer {
 public:
  void normalize(AlignedText& text) const override;
  static std::unique_ptr<Normalizer> create(const Json& json, const std::string& where);
};

// Drops white space at the ends.
class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  void normalize(AlignedText& text) const override;
  static std::unique_ptr<Normalizer> create(const Json& json, const std::string& where);

 private:
  bool left_, right_;
};

// Puts a prefix before text that is not empty.
class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  void normalize(AlignedText& text) const override;
  static std::unique_ptr<Normalizer> create(const Json& json, const std::string& where);

 private:
  std::string prefix_;
};

// Writes every byte as its byte-level character (byte_level.h).
class ByteLevelNormalizer final : public Normalizer {
 public:
  void normalize(AlignedText& text) const override;
  static std::unique_ptr<Normalizer> create(const Json& json, const std::string& where);
};

}  // namespace surprisal
