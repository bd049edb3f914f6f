#include "store/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "surprisal/error.h"

#include "core/json.h"

namespace surprisal {
namespace {

// Bounds on what a hostile file can make us do; no real model comes near.
constexpr std::size_t kMaxTensors = 1'000'000, kMaxMetadata = 100'000, kMaxRank = 8, kMaxNameBytes = 1024;

struct DtypeBits {
  std::string_view name;
  int bits;
};
constexpr std::array kDtypes = {
    DtypeBits{"BOOL", 8},        DtypeBits{"U8", 8},      DtypeBits{"I8", 8},
    DtypeBits{"U16", 16},        DtypeBits{"I16", 16},    DtypeBits{"F16", 16},
    DtypeBits{"BF16", 16},       DtypeBits{"U32", 32},    DtypeBits{"I32", 32},
    DtypeBits{"F32", 32},        DtypeBits{"U64", 64},    DtypeBits{"I64", 64},
    DtypeBits{"F64", 64},        DtypeBits{"C64", 64},    DtypeBits{"F8_E4M3", 8},
    DtypeBits{"F8_E5M2", 8},     DtypeBits{"F8_E8M0", 8}, DtypeBits{"F8_E4M3FNUZ", 8},
    DtypeBits{"F8_E5M2FNUZ", 8}, DtypeBits{"F6_E2M3", 6}, DtypeBits{"F6_E3M2", 6},
    DtypeBits{"F4", 4}};

// One tensor's object; knows where it stands for its messages.
class EntryReader {
 public:
  EntryReader(const std::string& name, const Json& entry, const std::string& where)
      : entry_(entry), where_(where + ", tensor " + quoted_name(name)) {
    result_.name = name;
  }

  TensorEntry read(std::int64_t data_size) && {
    read_keys();
    result_.dtype = get_string(entry_, "dtype", where_);
    read_shape();
    read_offsets(data_size);
    check_size();
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(std::string what, std::string found = "", std::string expected = "") const {
    throw Error(ErrorKind::data, {.what = std::move(what),
                                  .where = where_,
                                  .found = std::move(found),
                                  .expected = std::move(expected)});
  }

  void read_keys() const {
    if (result_.name.size() > kMaxNameBytes) {
      fail("name too long", std::to_string(result_.name.size()) + " bytes",
           "at most " + std::to_string(kMaxNameBytes));
    }
    if (!entry_.is_object())
      fail("not a tensor", entry_.type_name(), "an object with dtype, shape and data_offsets");
    for (const auto& [key, value] : entry_.items()) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") fail("unknown key " + quoted_name(key));
    }
  }

  // Sizes and offsets are JSON integers from 0 to the largest int64.
  std::int64_t natural(const Json& value, const char* key) const {
    const bool good = value.is_number_unsigned() &&
                      value.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    if (!good) fail(std::string(key) + " has a wrong value", found_text(value), "integers of 0 or more");
    return static_cast<std::int64_t>(value.get<std::uint64_t>());
  }

  static std::string found_text(const Json& value) {
    return value.is_number() ? value.dump() : value.type_name();
  }

  void read_shape() {
    const Json& shape = require(entry_, "shape", where_);
    if (!shape.is_array()) fail("shape has a wrong value", shape.type_name(), "an array");
    if (shape.size() > kMaxRank) {
      fail("too many axes", std::to_string(shape.size()), "at most " + std::to_string(kMaxRank));
    }
    for (const Json& size : shape) result_.shape.push_back(natural(size, "shape"));
  }

  void read_offsets(std::int64_t data_size) {
    const Json& offsets = require(entry_, "data_offsets", where_);
    if (!offsets.is_array() || offsets.size() != 2)
      fail("data_offsets has a wrong value", "", "[begin, end]");
    result_.begin = natural(offsets[0], "data_offsets");
    result_.end = natural(offsets[1], "data_offsets");
    if (result_.begin > result_.end || result_.end > data_size) {
      fail("data_offsets leave the file", shape_text({result_.begin, result_.end}),
           "a range within the " + std::to_string(data_size) + " bytes of data");
    }
  }

  void check_size() const {
    const auto dtype = std::find_if(kDtypes.begin(), kDtypes.end(),
                                    [&](const DtypeBits& known) { return known.name == result_.dtype; });
    if (dtype == kDtypes.end()) fail("unknown dtype", quoted_name(result_.dtype));
    std::int64_t bits = dtype->bits;
    for (std::int64_t size : result_.shape) {
      if (__builtin_mul_overflow(bits, size, &bits)) {
        fail("the shape's product overflows", shape_text(result_.shape));
      }
    }
    if (bits % 8 != 0) fail("the tensor ends within a byte", result_.dtype + " " + shape_text(result_.shape));
    if (bits / 8 == result_.end - result_.begin) return;
    fail("data_offsets do not fit dtype and shape", std::to_string(result_.end - result_.begin) + " bytes",
         std::to_string(bits / 8) + " for " + result_.dtype + " " + shape_text(result_.shape));
  }

  const Json& entry_;
  std::string where_;
  TensorEntry result_;
};

std::map<std::string, std::string> read_metadata(const Json& metadata, const std::string& where) {
  if (!metadata.is_object() || metadata.size() > kMaxMetadata) {
    throw Error(ErrorKind::data,
                {.what = "__metadata__ has a wrong value",
                 .where = where,
                 .expected = "an object of at most " + std::to_string(kMaxMetadata) + " strings"});
  }
  std::map<std::string, std::string> result;
  for (const auto& [key, value] : metadata.items()) {
    if (!value.is_string()) {
      throw Error(ErrorKind::data, {.what = "__metadata__ " + quoted_name(key) + " has a wrong value",
                                    .where = where,
                                    .found = value.type_name(),
                                    .expected = "a string"});
    }
    result.emplace(key, value.get<std::string>());
  }
  return result;
}

// Every byte of the data belongs to exactly one tensor, so nothing can hide in the file and nothing is read
// twice.
void check_coverage(const std::vector<TensorEntry>& tensors, std::int64_t data_size,
                    const std::string& where) {
  std::vector<const TensorEntry*> order;
  for (const TensorEntry& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const TensorEntry* a, const TensorEntry* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::int64_t covered = 0;
  for (const TensorEntry* tensor : order) {
    if (tensor->begin != covered) {
      throw Error(ErrorKind::data,
                  {.what = tensor->begin < covered ? "tensors overlap" : "gap before the tensor",
                   .where = where + ", tensor " + quoted_name(tensor->name),
                   .found = "begin " + std::to_string(tensor->begin),
                   .expected = std::to_string(covered)});
    }
    covered = tensor->end;
  }
  if (covered == data_size) return;
  throw Error(ErrorKind::data, {.what = "bytes behind the last tensor",
                                .where = where,
                                .found = std::to_string(data_size) + " bytes of data",
                                .expected = std::to_string(covered)});
}

}  // namespace

std::string quoted_name(std::string_view name) {
  constexpr std::size_t kShown = 200;
  const bool cut = name.size() > kShown;
  const std::string shown(name.substr(0, kShown));
  return Json(shown).dump(-1, ' ', true, Json::error_handler_t::replace) + (cut ? "..." : "");
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (std::int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return '[' + text + ']';
}

SafetensorsHeader parse_safetensors_header(std::string_view text, std::int64_t data_size,
                                           const std::string& where) {
  const std::string header_where = where + ", header";
  if (!text.starts_with('{')) {
    throw Error(ErrorKind::data, {.what = "not a safetensors file",
                                  .where = header_where,
                                  .expected = "a JSON object behind the 8 bytes of its length"});
  }
  const Json json = parse_json(text, header_where);
  if (json.size() > kMaxTensors) {
    throw Error(ErrorKind::data, {.what = "too many tensors",
                                  .where = header_where,
                                  .found = std::to_string(json.size()),
                                  .expected = "at most " + std::to_string(kMaxTensors)});
  }
  SafetensorsHeader header;
  for (const auto& [name, entry] : json.items()) {
    if (name == "__metadata__") {
      header.metadata = read_metadata(entry, header_where);
    } else {
      header.tensors.push_back(EntryReader(name, entry, where).read(data_size));
    }
  }
  check_coverage(header.tensors, data_size, where);
  return header;
}

}  // namespace surprisal
