// Shows what inspect_path gathered. Names come from files of others: what a terminal would act upon is
// escaped.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "console.h"
#include "core/text_width.h"
#include "inspect.h"
#include "store/safetensors_header.h"

namespace surprisal {
namespace {

constexpr int kLongestName = 72;

bool plain(std::string_view text) {
  return !text.empty() && text.size() <= 200 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~' && c != '"'; });
}

std::string shown(const std::string& name) {
  return plain(name) ? name : quoted_name(name);
}

// A value of a configuration or of metrics on one line.
std::string shown(const OrderedJson& value) {
  if (value.is_string()) return shown(value.get_ref<const std::string&>());
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  return value.dump(-1, ' ', true, OrderedJson::error_handler_t::replace);
}

// Lists go on below themselves where the line is long.
void line(std::string& text, const char* name, const std::string& value) {
  constexpr std::size_t kMost = 100;
  constexpr std::string_view kIndent = "             ";
  text += fmt::format("{:<12} ", name);
  std::size_t length = 0;
  for (std::size_t begin = 0; begin < value.size();) {
    const std::size_t end = std::min(value.find(", ", begin), value.size());
    const std::size_t size = std::min(end + 2, value.size()) - begin;
    if (length > 0 && length + size > kMost) {
      text.pop_back();  // the blank behind the comma
      text += fmt::format("\n{}", kIndent);
      length = 0;
    }
    text += value.substr(begin, size);
    length += size;
    begin += size;
  }
  text += '\n';
}

std::string fields(const OrderedJson& object) {
  std::string text;
  for (const auto& [key, value] : object.items()) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", shown(key), shown(value));
  }
  return text;
}

void add_model(const OrderedJson& model, std::string& text) {
  const OrderedJson& config = model.at("config");
  line(text, "family",
       fmt::format("{} ({})", shown(model.at("family")), shown(config.at("architectures")[0])));
  OrderedJson rest = config;
  for (const char* key : {"architectures", "model_type", "use_cache", "dtype"}) rest.erase(key);
  line(text, "config", fields(rest));
  const double parameters = model.at("parameters");
  line(text, "parameters", fmt::format("{:.0f} ({})", parameters, human_count(parameters)));
}

void add_tensors(const OrderedJson& tensors, std::string& text) {
  const std::size_t files = tensors.at("files").size();
  line(text, "tensors",
       fmt::format("{} in {} file{}, {}", shown(tensors.at("count")), files, files == 1 ? "" : "s",
                   human_bytes(tensors.at("bytes"))));
  if (!tensors.at("dtypes").empty()) line(text, "dtypes", fields(tensors.at("dtypes")));
  if (!tensors.at("metadata").empty()) line(text, "metadata", fields(tensors.at("metadata")));
}

void add_tokenizer(const OrderedJson& tokenizer, std::string& text) {
  line(text, "tokenizer",
       fmt::format("{}, {} tokens", shown(tokenizer.at("type")), shown(tokenizer.at("vocabulary"))));
  std::string special;
  for (const auto& [role, token] : tokenizer.at("special").items()) {
    special += fmt::format("{}{} {} = {}", special.empty() ? "" : ", ", role, shown(token.at("token")),
                           shown(token.at("id")));
  }
  if (!special.empty()) line(text, "special", special);
}

void add_run(const OrderedJson& report, std::string& text) {
  if (report.contains("objective")) line(text, "objective", shown(report.at("objective")));
  std::string names;
  for (const OrderedJson& name : report.at("checkpoints")) names += (names.empty() ? "" : ", ") + shown(name);
  line(text, "checkpoints", names.empty() ? "none" : names);
  for (const char* link : {"latest", "best"}) {
    if (report.contains(link)) line(text, link, shown(report.at(link)));
  }
  for (const auto& [key, name] : {std::pair{"last_step", "last step"}, {"last_evaluation", "evaluated"}}) {
    if (report.contains(key) && report.at(key).is_object()) line(text, name, fields(report.at(key)));
  }
  line(text, "finished", report.at("finished") ? "yes" : "no");
}

std::string shape_of(const OrderedJson& tensor) {
  return shape_text(tensor.at("shape").get<std::vector<std::int64_t>>());
}

void add_table(const OrderedJson& tensors, std::string& text) {
  int name_width = 6, shape_width = 5;
  for (const OrderedJson& tensor : tensors) {
    name_width = std::max(name_width, display_width(shown(tensor.at("name"))));
    shape_width = std::max(shape_width, display_width(shape_of(tensor)));
  }
  name_width = std::min(name_width, kLongestName);
  const auto row = [&](const std::string& name, const std::string& dtype, const std::string& shape,
                       const std::string& elements) {
    // A longer name is shown whole: a name cut short may be another's.
    const std::string padded = display_width(name) > name_width ? name : pad_to(name, name_width);
    text += fmt::format("{}  {:<7}  {:<{}}  {:>12}\n", padded, dtype, shape, shape_width, elements);
  };
  text += '\n';
  row("tensor", "dtype", "shape", "elements");
  for (const OrderedJson& tensor : tensors) {
    row(shown(tensor.at("name")), shown(tensor.at("dtype")), shape_of(tensor), shown(tensor.at("elements")));
  }
}

void add_parts(const OrderedJson& report, std::string& text) {
  if (report.contains("problem")) line(text, "problem", report.at("problem"));
  if (report.contains("model")) add_model(report.at("model"), text);
  if (report.contains("adapter")) line(text, "adapter", fields(report.at("adapter")));
  if (report.contains("tensors")) add_tensors(report.at("tensors"), text);
  if (report.contains("tokenizer")) add_tokenizer(report.at("tokenizer"), text);
  if (report.contains("state")) line(text, "trained", fields(report.at("state")));
}

}  // namespace

std::string inspection_text(const OrderedJson& report, bool tensor_table) {
  std::string text;
  line(text, report.at("kind").get_ref<const std::string&>().c_str(), report.at("path"));
  if (report.at("kind") == "run") add_run(report, text);
  add_parts(report, text);
  if (report.contains("newest")) {
    text += '\n';
    line(text, "newest", shown(report.at("newest").at("path")));
    add_parts(report.at("newest"), text);
  }
  if (report.contains("verified")) {
    line(text, "verified",
         report.at("verified").empty() ? "there was nothing to verify" : fields(report.at("verified")));
  }
  if (tensor_table && report.contains("tensors")) add_table(report.at("tensors").at("tensors"), text);
  return text;
}

}  // namespace surprisal
