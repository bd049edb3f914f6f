#include "text/tokenizer/bert_normalizer.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace surprisal {
namespace {

std::vector<std::uint32_t> places(const AlignedText& text) {
  std::vector<std::uint32_t> result;
  for (std::size_t i = 0; i < text.origin.size(); ++i) result.push_back(text.origin[i]);
  return result;
}

TEST(BertNormalizer, SaysWhereEveryByteCameFrom) {
  // A control character, a tab, a Chinese character, a mark that goes, an I with a dot that becomes two.
  AlignedText text = AlignedText::from("A\x01\tB中e\u0301\u0130z", 10);
  BertNormalizer({}).normalize(text);
  EXPECT_EQ(text.text, "a b 中 eiz");
  EXPECT_THAT(places(text), testing::ElementsAre(10, 12, 13, 14, 14, 14, 14, 14, 17, 20, 22));
}

TEST(BertNormalizer, WritesTheSameTextWherePlacesAreNotAskedFor) {
  for (bool on : {true, false}) {
    BertNormalizer normalizer(
        {.clean_text = on, .handle_chinese_chars = on, .strip_accents = on, .lowercase = on});
    AlignedText known = AlignedText::from("Q\x02\u0323\u0307\r\n中文 \u1e69 [MASK] \x7f\U00020000."),
                unknown = known;
    unknown.origin = Origins::unknown();
    normalizer.normalize(known);
    normalizer.normalize(unknown);
    EXPECT_EQ(known.text, unknown.text);
    EXPECT_EQ(known.origin.size(), known.text.size());
    EXPECT_FALSE(unknown.origin.known());
  }
}

}  // namespace
}  // namespace surprisal
