// safetensors files: the header alone, in memory that ends where it ends, and the file as it is opened.
#include "store/safetensors.h"

#include "fuzz/target.h"
#include "store/finite.h"
#include "store/safetensors_header.h"
#include "store/widen.h"
#include "tests/store/safetensors_bytes.h"

namespace surprisal::fuzz {
namespace {

void check_tensor(const StoredTensor& tensor, std::size_t file_size) {
  expect(tensor.bytes.size() <= file_size, "a tensor larger than its file");
  if (!can_widen(tensor.dtype)) return;
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  widen(tensor, 0, values);
  first_nonfinite(tensor);
}

// What our own writer makes of the tensors.
std::string written(const std::vector<TensorToWrite>& tensors) {
  const std::filesystem::path path = directory() / "written.safetensors";
  write_safetensors(path, tensors);
  return read_file(path);
}

TensorToWrite ramp(std::string name, std::vector<std::int64_t> shape, Dtype dtype = Dtype::f32) {
  auto fill = [](std::int64_t begin, std::span<float> out) {
    for (float& value : out) value = static_cast<float>(begin++);
  };
  return {std::move(name), std::move(shape), fill, dtype};
}

}  // namespace

void read(std::string_view input) {
  const std::filesystem::path path = write("model.safetensors", input);
  const SafetensorsFile file(path);
  for (const StoredTensor& tensor : file.tensors()) {
    expect(file.find(tensor.name) == &tensor, "a tensor that is not found by its name");
    check_tensor(tensor, input.size());
  }
  // Opened, so the length is right. A copy that ends with the header shows reading behind it.
  std::uint64_t length = 0;
  std::copy_n(input.data(), sizeof length, reinterpret_cast<char*>(&length));
  const std::vector<char> header(input.data() + sizeof length, input.data() + sizeof length + length);
  const auto data_size = static_cast<std::int64_t>(input.size() - sizeof length - length);
  const SafetensorsHeader parsed =
      parse_safetensors_header({header.data(), header.size()}, data_size, "model.safetensors");
  expect(parsed.tensors.size() == file.tensors().size(), "a header that reads otherwise alone");
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds = {
      written({ramp("a", {2, 3}), ramp("b.weight", {4}, Dtype::bf16)}),
      written({}),
      written({ramp("empty", {0, 7}), ramp("scalar", {}), ramp("one", {1, 1, 1, 1})}),
      safetensors_bytes(
          R"({"__metadata__":{"format":"pt","k":"v"},"x":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})",
          std::string(8, '\1')),
  };
  for (const char* dtype :
       {"BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F16", "BF16", "I16", "U16", "F32", "I32", "F64"}) {
    const std::string name(dtype);
    const std::size_t bytes = name.ends_with("64")   ? 8
                              : name.ends_with("32") ? 4
                              : name.ends_with("16") ? 2
                                                     : 1;
    seeds.push_back(safetensors_bytes(R"({"t":{"dtype":")" + name + R"(","shape":[2],"data_offsets":[0,)" +
                                          std::to_string(2 * bytes) + "]}}",
                                      std::string(2 * bytes, '\x7f')));
  }
  return seeds;
}

}  // namespace surprisal::fuzz
