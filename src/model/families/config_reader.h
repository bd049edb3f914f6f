// Reads a config.json key by key and remembers which keys were read, so that at the end every other key is
// either known to be harmless or refused by name: a key that is passed over in silence may change the
// mathematics.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>

#include "core/json.h"
#include "model/config.h"

namespace surprisal {

class ConfigReader {
 public:
  // `config` must outlive the reader. Throws Error (data) if it is not an object.
  ConfigReader(const Json& config, std::string where);

  std::int64_t size(const char* key, std::int64_t max);  // required, at least 1
  std::int64_t size_or(const char* key, std::int64_t max, std::int64_t fallback);
  // Required, above `offset`; returns how much it is above.
  std::int64_t size_above(const char* key, std::int64_t offset, std::int64_t max);
  double number(const char* key, double min, double max);  // required
  double number_or(const char* key, double min, double max, double fallback);
  bool flag_or(const char* key, bool fallback);
  std::string text_or(const char* key, std::string fallback);
  const Json* object(const char* key);  // null where it is absent, null or empty
  bool has(const char* key) const { return config_.contains(key) && !config_.at(key).is_null(); }
  // Sets activation and activation_name.
  void activation(const char* key, const char* fallback, ModelConfig& config);
  // -1 for null; the first of a list; `fallback`, if the vocabulary has it, where the key is absent.
  std::int64_t token_id(const char* key, std::int64_t fallback, std::int64_t vocab_size);
  // Whether "architectures" is a list that holds `name`.
  bool has_architecture(const char* name);

  // No value of `key` but this one is supported; absent or null means it.
  void only(const char* key, const Json& value);
  // Keys of this family that say nothing about the forward pass, whatever their value.
  void pass_over(std::initializer_list<const char*> keys);
  const std::string& where() const { return where_; }
  // Throws Error (data) naming every key that is left: not read, not known to be harmless, and neither null,
  // false nor empty.
  void finish() const;

 private:
  const Json* lookup(const char* key);  // null if absent or null

  const Json& config_;
  std::string where_;
  std::set<std::string> seen_;
};

}  // namespace surprisal
