// Collects the bindings of a family.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/family.h"

namespace surprisal {

class BindingList {
 public:
  explicit BindingList(const ParameterTable& table) : table_(table) {}

  // The whole parameter `name`.
  void add(std::string stored, const std::string& name, bool transposed = false) {
    const int parameter = table_.find(name);
    bind(std::move(stored), parameter, 0, parameter_rows(parameter), transposed);
  }
  // Its rows [begin, end).
  void add_rows(std::string stored, const std::string& name, std::int64_t begin, std::int64_t end) {
    bind(std::move(stored), table_.find(name), begin, end, false);
  }
  // Part `index` of the `parts` equal blocks of rows of the parameter `name`.
  void add_part(std::string stored, const std::string& name, int index, int parts) {
    const int parameter = table_.find(name);
    const std::int64_t rows = parameter_rows(parameter) / parts;
    bind(std::move(stored), parameter, index * rows, (index + 1) * rows, false);
  }
  // Both tensors of a layer norm or linear.
  void add_pair(const std::string& stored, const std::string& name, bool transposed = false) {
    add(stored + ".weight", name + ".weight", transposed);
    add(stored + ".bias", name + ".bias");
  }

  // Both tensors of a query-key-value projection that is stored head by head.
  void add_heads(const std::string& stored, const std::string& name, std::int64_t heads) {
    for (const char* part : {".weight", ".bias"}) {
      add(stored + part, name + part);
      bindings_.back().heads = heads;
    }
  }

  std::vector<Binding> finish() && { return std::move(bindings_); }

 private:
  std::int64_t parameter_rows(int parameter) const {
    return table_.parameters[static_cast<std::size_t>(parameter)].shape[0];
  }
  void bind(std::string stored, int parameter, std::int64_t begin, std::int64_t end, bool transposed) {
    bindings_.push_back({std::move(stored), parameter, begin, end, transposed, 0});
  }

  const ParameterTable& table_;
  std::vector<Binding> bindings_;
};

}  // namespace surprisal
