#include "store/tensor_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/error_matchers.h"
#include "tests/store/safetensors_bytes.h"

namespace surprisal {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A file with one byte a tensor.
std::string shard_of(const std::vector<std::string>& names) {
  std::string header, data;
  for (const std::string& name : names) {
    header += (header.empty() ? "{\"" : ",\"") + name + R"(":{"dtype":"U8","shape":[1],"data_offsets":[)" +
              std::to_string(data.size()) + "," + std::to_string(data.size() + 1) + "]}";
    data += name[0];
  }
  return safetensors_bytes(header + "}", data);
}

class Shards : public testing::Test {
 protected:
  Shards() {
    write("model-00001-of-00002.safetensors", shard_of({"a", "c"}));
    write("model-00002-of-00002.safetensors", shard_of({"b"}));
  }
  void write(const std::string& name, const std::string& bytes) {
    write_bytes(directory_.path() / name, bytes);
  }
  TensorFiles open(const std::string& weight_map) {
    write(kWeightsIndex, R"({"metadata":{"total_size":3},"weight_map":)" + weight_map + "}");
    return TensorFiles(directory_.path() / kWeightsIndex);
  }
  std::string refusal(const std::string& weight_map, ErrorKind kind = ErrorKind::data) {
    return error_of([&] { open(weight_map); }, kind);
  }

  TemporaryDirectory directory_;
};

const std::string kGood = R"({"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors",)"
                          R"("c":"model-00001-of-00002.safetensors"})";

TEST_F(Shards, AreOneListByName) {
  const TensorFiles files = open(kGood);
  ASSERT_EQ(files.tensors().size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(files.tensors()[i]->name, std::string(1, static_cast<char>('a' + i)));
    EXPECT_EQ(static_cast<char>(files.tensors()[i]->bytes[0]), 'a' + static_cast<int>(i));
  }
  EXPECT_EQ(files.files().size(), 2u);
}

TEST_F(Shards, ComeAfterTheSingleFile) {
  open(kGood);
  EXPECT_EQ(find_weights(directory_.path()), directory_.path() / kWeightsIndex);
  write(kWeightsFile, shard_of({"a"}));
  EXPECT_EQ(find_weights(directory_.path()), directory_.path() / kWeightsFile);
  EXPECT_EQ(TensorFiles(directory_.path() / kWeightsFile).tensors().size(), 1u);
  TemporaryDirectory empty;
  EXPECT_EQ(find_weights(empty.path()), std::nullopt);
}

TEST_F(Shards, AreFilesOfTheSameDirectory) {
  std::filesystem::create_directory(directory_.path() / "inner");
  write("inner/x.safetensors", shard_of({"a"}));
  for (const char* name :
       {"../x.safetensors", "/etc/passwd", "inner/x.safetensors", "..", ".", "", ".hidden.safetensors",
        "model.bin", "x.safetensors\\u0000", "./model-00002-of-00002.safetensors"}) {
    EXPECT_THAT(refusal(std::string("{\"a\":\"") + name + "\"}"),
                AllOf(HasSubstr(kWeightsIndex), HasSubstr("weight_map names what is no shard")))
        << name;
  }
}

TEST_F(Shards, AndTheIndexHoldTheSame) {
  EXPECT_THAT(refusal(R"({"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"})"),
              AllOf(HasSubstr("model-00001-of-00002.safetensors: tensor \"c\" is not the index's"),
                    HasSubstr("not in weight_map")));
  std::string more = kGood;
  more.insert(1, R"("d":"model-00002-of-00002.safetensors",)");
  EXPECT_THAT(refusal(more), HasSubstr("tensor \"d\" is not in its shard: expected in "
                                       "\"model-00002-of-00002.safetensors\""));
  // As many as there should be, but another one.
  EXPECT_THAT(refusal(R"({"a":"model-00001-of-00002.safetensors","d":"model-00001-of-00002.safetensors"})"),
              HasSubstr("tensor \"c\" is not the index's"));
}

TEST_F(Shards, HoldNoTensorTwice) {
  write("model-00002-of-00002.safetensors", shard_of({"a", "b"}));
  EXPECT_THAT(refusal(kGood), AllOf(HasSubstr("tensor \"a\" is not the index's"),
                                    HasSubstr("weight_map has it in \"model-00001-of-00002.safetensors\"")));
  EXPECT_THAT(refusal(R"({"a":"model-00001-of-00002.safetensors","a":"model-00002-of-00002.safetensors"})"),
              HasSubstr("duplicate key \"a\""));
}

TEST_F(Shards, AreNamedWhereTheyAreMissingOrBroken) {
  std::filesystem::remove(directory_.path() / "model-00002-of-00002.safetensors");
  EXPECT_THAT(refusal(kGood, ErrorKind::io), HasSubstr("model-00002-of-00002.safetensors"));
  write("model-00002-of-00002.safetensors", shard_of({"b"}).substr(0, 20));
  EXPECT_THAT(refusal(kGood), HasSubstr("model-00002-of-00002.safetensors"));
}

TEST_F(Shards, NeedAnIndexOfNamesAndFiles) {
  for (const char* weight_map : {"3", "[]", "{}", "null"}) {
    EXPECT_THAT(refusal(weight_map), AllOf(HasSubstr(kWeightsIndex), HasSubstr("weight_map")));
  }
  EXPECT_THAT(refusal(R"({"a":3})"), HasSubstr("weight_map \"a\" has a wrong value: found number"));
  write(kWeightsIndex, "[]");
  EXPECT_THAT(error_of([&] { TensorFiles files(directory_.path() / kWeightsIndex); }, ErrorKind::data),
              HasSubstr("not an index of shards"));
  write(kWeightsIndex, "{}");
  EXPECT_THAT(error_of([&] { TensorFiles files(directory_.path() / kWeightsIndex); }, ErrorKind::data),
              HasSubstr("key weight_map is missing"));
}

}  // namespace
}  // namespace surprisal
