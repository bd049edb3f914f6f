// Against the sentencepiece library: tools/goldens/sentencepiece_models.py wrote what is compared here.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <zlib.h>

#include "surprisal/tokenizer.h"

#include "core/file.h"
#include "core/json.h"
#include "tests/core/temporary_directory.h"
#include "tests/text/gzip_file.h"
#include "tests/text/sentencepiece_file.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

const std::string kGoldens = SURPRISAL_TEST_DATA "/golden/sentencepiece";
constexpr std::size_t kMegabyte = 1000000, kBlock = 64;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at <= text.size();) {
    std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::vector<std::string> characters_of(const std::string& line) {
  std::vector<std::string> characters;
  for (std::size_t at = 0; at < line.size();) {
    std::size_t begin = at;
    next_code_point(line, at);
    characters.push_back(line.substr(begin, at - begin));
  }
  return characters;
}

// mixtures() of the script.
std::vector<std::string> megabyte_of_lines(const Json& expected) {
  std::vector<std::string> lines = lines_of(read_gzip(kGoldens + "/text.txt.gz"));
  auto separators = expected.at("separators").get<std::vector<std::string>>();
  std::vector<std::vector<std::string>> base;
  std::size_t size = 0;
  for (const std::string& line : lines) {
    base.push_back(characters_of(line));
    size += line.size() + 1;
  }
  std::uint64_t state = 1;
  auto draw = [&](std::size_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>((state >> 33) % below);
  };
  while (size < kMegabyte) {
    std::string line;
    std::size_t parts = 1 + draw(6);
    for (std::size_t part = 0; part < parts; ++part) {
      const std::vector<std::string>& characters = base[draw(base.size())];
      std::size_t begin = draw(characters.size() + 1), end = begin + 1 + draw(40);
      for (std::size_t i = begin; i < std::min(end, characters.size()); ++i) line += characters[i];
      line += separators[draw(separators.size())];
    }
    size += line.size() + 1;
    lines.push_back(std::move(line));
  }
  return lines;
}

const Json& expected() {
  static const Json json = parse_json(read_file(kGoldens + "/expected.json"), "expected.json");
  return json;
}

const std::vector<std::string>& lines() {
  static const std::vector<std::string> all = megabyte_of_lines(expected());
  return all;
}

std::string model_file(const std::string& name) {
  std::string file = read_file(kGoldens + "/" + name + ".model");
  const Json& charsmap = expected().at("models").at(name).at("charsmap");
  if (charsmap.is_null()) return file;
  std::string table = read_gzip(kGoldens + "/" + charsmap.get<std::string>() + ".charsmap.gz");
  return file + bytes_field(3, bytes_field(2, table));
}

std::uint32_t checksum(const std::string& text) {
  const auto* bytes = reinterpret_cast<const Bytef*>(text.data());
  return static_cast<std::uint32_t>(crc32(0, bytes, static_cast<uInt>(text.size())));
}

class SentencePieceModels : public testing::TestWithParam<const char*> {};

TEST_P(SentencePieceModels, AreUsedAsByTheLibrary) {
  ASSERT_EQ(expected().at("sentencepiece"), "0.2.3");
  ASSERT_EQ(lines().size(), expected().at("lines").get<std::size_t>());
  TemporaryDirectory directory;
  write_file_atomically(directory / "tokenizer.model", model_file(GetParam()));
  Tokenizer tokenizer = Tokenizer::load(directory / "tokenizer.model");
  const Json& golden = expected().at("models").at(GetParam());
  std::size_t differing = 0;
  for (std::size_t begin = 0; begin < lines().size(); begin += kBlock) {
    std::string all_ids, all_text;
    for (std::size_t i = begin; i < std::min(begin + kBlock, lines().size()); ++i) {
      std::vector<std::int32_t> ids;
      std::vector<std::uint32_t> starts;
      tokenizer.encode(lines()[i], ids, &starts);
      EXPECT_TRUE(std::is_sorted(starts.begin(), starts.end())) << lines()[i];
      for (std::size_t k = 0; k < ids.size(); ++k) {
        if (k > 0) all_ids += ' ';
        all_ids += std::to_string(ids[k]);
      }
      all_ids += '\n';
      all_text += tokenizer.decode(ids) + '\n';
    }
    bool same = checksum(all_ids) == golden.at("ids")[begin / kBlock].get<std::uint32_t>() &&
                checksum(all_text) == golden.at("text")[begin / kBlock].get<std::uint32_t>();
    if (!same && ++differing == 1) {
      ADD_FAILURE() << "lines from " << begin << ": ids "
                    << (checksum(all_ids) == golden.at("ids")[begin / kBlock].get<std::uint32_t>())
                    << ", first: " << lines()[begin];
    }
  }
  EXPECT_EQ(differing, 0u);
}

// What is saved is a tokenizer.json with the same ids.
TEST_P(SentencePieceModels, AreSavedWhole) {
  TemporaryDirectory directory;
  write_file_atomically(directory / "x.model", model_file(GetParam()));
  Tokenizer tokenizer = Tokenizer::load(directory.path());
  tokenizer.save(directory / "saved");
  Tokenizer saved = Tokenizer::load(directory / "saved");
  EXPECT_EQ(saved.fingerprint(), tokenizer.fingerprint());
  EXPECT_EQ(saved.special().unk, 0);
  EXPECT_EQ(saved.special().bos, 1);
  EXPECT_EQ(saved.special().eos, 2);
  for (std::size_t i = 0; i < lines().size(); i += 50) {
    std::vector<std::int32_t> before, after;
    tokenizer.encode(lines()[i], before);
    saved.encode(lines()[i], after);
    EXPECT_EQ(before, after);
  }
}

INSTANTIATE_TEST_SUITE_P(Library, SentencePieceModels,
                         testing::Values("unigram_nmt_nfkc", "unigram_bytes", "unigram_nfkc_cf",
                                         "unigram_suffix", "unigram_unused", "bpe_nmt_nfkc", "bpe_llama",
                                         "bpe_nfkc_cf", "bpe_unused"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace surprisal
