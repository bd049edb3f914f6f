#include "store/safetensors.h"

#include <cstring>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "tests/core/error_matchers.h"
#include "tests/store/safetensors_bytes.h"

namespace surprisal {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Safetensors : public testing::Test {
 protected:
  SafetensorsFile open(const std::string& bytes) {
    write_bytes(path_, bytes);
    return SafetensorsFile(path_);
  }
  std::string refusal(const std::string& bytes) {
    const std::string message = error_of([&] { open(bytes); }, ErrorKind::data);
    EXPECT_THAT(message, HasSubstr(path_.string()));
    return message;
  }
  // A header with one tensor that should fit 8 bytes of data.
  std::string one(const std::string& entry) {
    return safetensors_bytes("{\"t\":" + entry + "}", std::string(8, 'x'));
  }

  TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "model.safetensors";
};

const std::string kGood = R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})";

TEST_F(Safetensors, ReadsNamesShapesBytesAndMetadata) {
  const std::string data = number_bytes<float>({1.5f, -2.0f}) + number_bytes<std::int64_t>({7});
  const SafetensorsFile file = open(
      safetensors_bytes(R"({"__metadata__":{"format":"pt","n":"3"},"z":{"dtype":"F32","shape":[1,2],)"
                        R"("data_offsets":[0,8]},"a":{"shape":[],"data_offsets":[8,16],"dtype":"I64"}}   )",
                        data));
  ASSERT_EQ(file.tensors().size(), 2u);
  EXPECT_EQ(file.tensors()[0].name, "a");
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"format", "pt"}, {"n", "3"}}));
  const StoredTensor* z = file.find("z");
  ASSERT_NE(z, nullptr);
  EXPECT_EQ(z->dtype, "F32");
  EXPECT_EQ(z->shape, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(z->elements(), 2);
  float values[2];
  ASSERT_EQ(z->bytes.size(), sizeof values);
  std::memcpy(values, z->bytes.data(), sizeof values);
  EXPECT_EQ(values[0], 1.5f);
  EXPECT_EQ(values[1], -2.0f);
  EXPECT_EQ(file.find("a")->elements(), 1);  // rank 0
  EXPECT_EQ(file.find("b"), nullptr);
  EXPECT_EQ(file.find(""), nullptr);
}

TEST_F(Safetensors, ReadsAnEmptyFileOfTensorsAndZeroSizes) {
  EXPECT_TRUE(open(safetensors_bytes("{}", "")).tensors().empty());
  const SafetensorsFile file =
      open(safetensors_bytes(R"({"e":{"dtype":"F32","shape":[3,0],"data_offsets":[4,4]},)"
                             R"("f":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},)"
                             R"("g":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})",
                             "abcd"));
  EXPECT_EQ(file.find("e")->elements(), 0);
  EXPECT_TRUE(file.find("f")->bytes.empty());
}

TEST_F(Safetensors, KnowsEveryDtypeOfTheFormat) {
  for (auto [dtype, count] : {std::pair{"BOOL", 8},
                              {"U8", 8},
                              {"I8", 8},
                              {"F8_E4M3", 8},
                              {"F8_E5M2", 8},
                              {"F8_E8M0", 8},
                              {"U16", 4},
                              {"I16", 4},
                              {"F16", 4},
                              {"BF16", 4},
                              {"U32", 2},
                              {"I32", 2},
                              {"F32", 2},
                              {"U64", 1},
                              {"I64", 1},
                              {"F64", 1},
                              {"C64", 1},
                              {"F4", 16}}) {
    const std::string entry = std::string(R"({"dtype":")") + dtype + R"(","shape":[)" +
                              std::to_string(count) + R"(],"data_offsets":[0,8]})";
    EXPECT_EQ(open(one(entry)).tensors()[0].dtype, dtype);
  }
}

TEST_F(Safetensors, RefusesAFileCutAnywhere) {
  const std::string whole = one(kGood);
  open(whole);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(refusal(whole.substr(0, length)), "no error") << length;
  }
  EXPECT_THAT(refusal(""),
              HasSubstr("truncated: no room for the header's length: found 0 bytes, expected at least 8"));
  EXPECT_THAT(refusal(whole.substr(0, 20)), HasSubstr("the header's length is too large"));
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345678\n"),
              HasSubstr("a pointer of git-lfs stands where the tensors should"));
  EXPECT_THAT(refusal(whole.substr(0, whole.size() - 1)),
              HasSubstr("tensor \"t\": data_offsets leave the file"));
}

TEST_F(Safetensors, RefusesALyingHeaderLength) {
  for (std::uint64_t length : {std::uint64_t{1} << 63, std::numeric_limits<std::uint64_t>::max(),
                               std::uint64_t{100'000'001}, std::uint64_t{1000}}) {
    EXPECT_THAT(refusal(length_bytes(length) + "{}"),
                AllOf(HasSubstr("found " + std::to_string(length)), HasSubstr("expected at most 2")));
  }
  EXPECT_THAT(refusal(length_bytes(0)), HasSubstr("not a safetensors file"));
  EXPECT_THAT(refusal(length_bytes(2) + "[]"), HasSubstr("not a safetensors file"));
  EXPECT_THAT(refusal(length_bytes(3) + " {}"), HasSubstr("not a safetensors file"));
}

TEST_F(Safetensors, RefusesBadJson) {
  EXPECT_THAT(refusal(safetensors_bytes("{\"t\":", "")), HasSubstr("invalid JSON"));
  EXPECT_THAT(refusal(safetensors_bytes("{} {}", "")), HasSubstr("invalid JSON"));
  EXPECT_THAT(refusal(safetensors_bytes("{\"\xff\":1}", "")), HasSubstr("invalid JSON"));
  EXPECT_THAT(refusal(safetensors_bytes("{\"t\":" + kGood + ",\"t\":" + kGood + "}", std::string(8, 'x'))),
              HasSubstr("duplicate key \"t\""));
  EXPECT_THAT(refusal(one(R"({"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]})")),
              HasSubstr("duplicate key \"dtype\""));
  EXPECT_THAT(refusal(safetensors_bytes("{\"t\":" + std::string(100, '[') + std::string(100, ']') + "}", "")),
              HasSubstr("nested too deep"));
}

struct Broken {
  const char* entry;
  const char* message;
};

TEST_F(Safetensors, RefusesAnEntryThatBreaksARule) {
  const Broken cases[] = {
      {R"(3)", "not a tensor"},
      {R"({"shape":[2],"data_offsets":[0,8]})", "key dtype is missing"},
      {R"({"dtype":"F32","data_offsets":[0,8]})", "key shape is missing"},
      {R"({"dtype":"F32","shape":[2]})", "key data_offsets is missing"},
      {R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"strides":[1]})", "unknown key \"strides\""},
      {R"({"dtype":"F33","shape":[2],"data_offsets":[0,8]})", "unknown dtype: found \"F33\""},
      {R"({"dtype":4,"shape":[2],"data_offsets":[0,8]})", "key dtype has a wrong value"},
      {R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})", "shape has a wrong value"},
      {R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})", "shape has a wrong value: found -2"},
      {R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})", "shape has a wrong value: found 2.0"},
      {R"({"dtype":"F32","shape":["2"],"data_offsets":[0,8]})", "shape has a wrong value: found string"},
      {R"({"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]})", "shape has a wrong value"},
      {R"({"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]})",
       "shape has a wrong value: found 1e+20"},
      {R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]})", "too many axes: found 9"},
      // The product wraps to 2 in 64 bits.
      {R"({"dtype":"F32","shape":[4611686018427387904,8,2],"data_offsets":[0,8]})",
       "the shape's product overflows"},
      {R"({"dtype":"F32","shape":[2305843009213693953,2],"data_offsets":[0,8]})",
       "the shape's product overflows"},
      // A size of 0 behind the overflow does not heal it.
      {R"({"dtype":"F32","shape":[4611686018427387904,8,0],"data_offsets":[0,0]})",
       "the shape's product overflows"},
      {R"({"dtype":"F32","shape":[0,4611686018427387904,8],"data_offsets":[0,8]})",
       "found 8 bytes, expected 0 for F32 [0, 4611686018427387904, 8]"},
      {R"({"dtype":"F64","shape":[1152921504606846976],"data_offsets":[0,8]})",
       "the shape's product overflows"},
      {R"({"dtype":"F32","shape":[2],"data_offsets":[9223372036854775800,9223372036854775807]})",
       "data_offsets leave the file"},
      {R"({"dtype":"F32","shape":[1e0],"data_offsets":[0,8]})", "shape has a wrong value"},
      {R"({"dtype":"F32","shape":[null],"data_offsets":[0,8]})", "shape has a wrong value: found null"},
      {R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})",
       "data_offsets do not fit dtype and shape: found 8 bytes, expected 12 for F32 [3]"},
      {R"({"dtype":"F16","shape":[2],"data_offsets":[0,8]})", "found 8 bytes, expected 4 for F16 [2]"},
      {R"({"dtype":"F4","shape":[3],"data_offsets":[0,8]})", "the tensor ends within a byte"},
      {R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})", "data_offsets leave the file: found [8, 0]"},
      {R"({"dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775807]})",
       "data_offsets leave the file"},
      {R"({"dtype":"F32","shape":[2],"data_offsets":[-8,0]})", "data_offsets has a wrong value: found -8"},
      {R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,8]})", "data_offsets has a wrong value"},
      {R"({"dtype":"F32","shape":[2],"data_offsets":8})", "data_offsets has a wrong value"},
  };
  for (const Broken& broken : cases)
    EXPECT_THAT(refusal(one(broken.entry)), HasSubstr(broken.message)) << broken.entry;
}

std::string two(int begin, int end) {
  return safetensors_bytes(
      R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[)" +
          std::to_string(end - begin) + R"(],"data_offsets":[)" + std::to_string(begin) + "," +
          std::to_string(end) + "]}}",
      std::string(16, 'x'));
}

TEST_F(Safetensors, RefusesTensorsThatDoNotTileTheData) {
  open(two(8, 16));
  EXPECT_THAT(refusal(two(4, 16)), HasSubstr("tensor \"b\": tensors overlap: found begin 4, expected 8"));
  EXPECT_THAT(refusal(two(0, 8)), HasSubstr("tensors overlap"));
  EXPECT_THAT(refusal(two(10, 16)),
              HasSubstr("tensor \"b\": gap before the tensor: found begin 10, expected 8"));
  EXPECT_THAT(refusal(two(8, 15)),
              HasSubstr("bytes behind the last tensor: found 16 bytes of data, expected 15"));
  EXPECT_THAT(refusal(safetensors_bytes("{}", "x")), HasSubstr("bytes behind the last tensor"));
}

TEST_F(Safetensors, RefusesMetadataThatIsNotStrings) {
  EXPECT_THAT(refusal(safetensors_bytes(R"({"__metadata__":{"step":3}})", "")),
              HasSubstr("__metadata__ \"step\" has a wrong value: found number, expected a string"));
  EXPECT_THAT(refusal(safetensors_bytes(R"({"__metadata__":[]})", "")),
              HasSubstr("__metadata__ has a wrong value"));
}

TEST_F(Safetensors, RefusesMoreMetadataThanAnyFileHas) {
  std::string metadata;
  for (int i = 0; i <= 100'000; ++i) metadata += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":\"\"";
  EXPECT_THAT(refusal(safetensors_bytes("{\"__metadata__\":{" + metadata + "}}", "")),
              HasSubstr("an object of at most 100000 strings"));
}

// Shapes whose sizes add up beyond 64 bits are each refused before anything is added.
TEST_F(Safetensors, RefusesSizesWhoseSumOverflows) {
  const std::string half = R"({"dtype":"U8","shape":[6000000000000000000],"data_offsets":[)";
  EXPECT_THAT(refusal(safetensors_bytes("{\"a\":" + half + "0,6000000000000000000]},\"b\":" + half +
                                            "6000000000000000000,12000000000000000000]}}",
                                        "x")),
              HasSubstr("tensor \"a\": data_offsets leave the file"));
}

TEST_F(Safetensors, KeepsHostileNamesOutOfMessages) {
  const std::string name(1025, 'n');
  const std::string message =
      refusal(safetensors_bytes("{\"" + name + "\":" + kGood + "}", std::string(8, 'x')));
  EXPECT_THAT(message, HasSubstr("name too long: found 1025 bytes"));
  EXPECT_LT(message.size(), 600u);
  EXPECT_THAT(refusal(safetensors_bytes(R"({"\u001b[2J":3})", "")), HasSubstr("\"\\u001b[2J\""));
}

TEST_F(Safetensors, NamesAFileThatIsNotThere) {
  EXPECT_THAT(error_of([&] { SafetensorsFile file(path_); }, ErrorKind::io), HasSubstr(path_.string()));
  EXPECT_THAT(error_of([&] { SafetensorsFile file(directory_.path()); }, ErrorKind::io),
              HasSubstr("directory"));
}

TensorToWrite ramp(const std::string& name, std::vector<std::int64_t> shape, float first) {
  return {name, std::move(shape), [first](std::int64_t begin, std::span<float> out) {
            for (std::size_t i = 0; i < out.size(); ++i)
              out[i] = first + static_cast<float>(begin) + static_cast<float>(i);
          }};
}

TEST_F(Safetensors, ReadsBackWhatItWrites) {
  write_safetensors(path_, {ramp("w", {2, 3}, 1), ramp("empty", {0, 4}, 0), ramp("b", {}, 0.5f)},
                    {{"k", "v"}});
  const SafetensorsFile file(path_);
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"k", "v"}}));
  ASSERT_EQ(file.tensors().size(), 3u);
  const StoredTensor& w = *file.find("w");
  EXPECT_EQ(w.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(std::memcmp(w.bytes.data(), number_bytes<float>({1, 2, 3, 4, 5, 6}).data(), 24), 0);
  EXPECT_EQ(std::memcmp(file.find("b")->bytes.data(), number_bytes<float>({0.5f}).data(), 4), 0);
}

TEST_F(Safetensors, WritesSortedPaddedAndWithoutAGap) {
  write_safetensors(path_, {ramp("b", {2}, 3), ramp("a", {1}, 7)});
  const std::string bytes = read_file(path_);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ(length % 8, 0u);
  const std::string header = bytes.substr(8, length);
  EXPECT_TRUE(
      header.starts_with(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],)"
                         R"("data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})"))
      << header;
  EXPECT_EQ(header.find_last_not_of(' '), header.rfind('}'));
  EXPECT_EQ(bytes.substr(8 + length), number_bytes<float>({7, 3, 4}));
}

// Larger than what is held at a time, and no multiple of it.
TEST_F(Safetensors, WritesLargeTensorsInPieces) {
  constexpr std::int64_t kElements = (1 << 19) + 17;
  std::int64_t most = 0;
  TensorToWrite tensor = ramp("t", {kElements}, 0);
  tensor.fill = [&most, fill = tensor.fill](std::int64_t begin, std::span<float> out) {
    most = std::max(most, static_cast<std::int64_t>(out.size()));
    fill(begin, out);
  };
  write_safetensors(path_, {tensor});
  EXPECT_LT(most, kElements);
  const SafetensorsFile file(path_);
  for (std::int64_t i = 0; i < kElements; i += 1009) {
    float value = 0;
    std::memcpy(&value, file.find("t")->bytes.data() + i * 4, 4);
    ASSERT_EQ(value, static_cast<float>(i));
  }
}

TEST_F(Safetensors, LeavesNoFileBehindWhenWritingFails) {
  TensorToWrite tensor = ramp("t", {1}, 0);
  tensor.fill = [](std::int64_t, std::span<float>) { throw Error(ErrorKind::io, {.what = "no more"}); };
  EXPECT_EQ(error_of([&] { write_safetensors(path_, {tensor}); }, ErrorKind::io), "no more");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace surprisal
