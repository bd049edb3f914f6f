// The shapes of pairs: which records and lines are read as what, and which are refused.
#include <string>
#include <vector>

#include "tests/core/error_matchers.h"
#include "tests/text/corpus_files.h"
#include "text/corpus/token_corpus.h"

namespace surprisal {
namespace {

using testing::HasSubstr;

RecordOptions pairs(const std::string& tokenise = "separately") {
  RecordOptions options;
  options.read = {};
  options.add(DocumentKind::pair);
  options.readers = {"objective causal reads texts", "objective conditional reads pairs", ""};
  options.pairs.tokenise = tokenise;
  options.pairs.chat = "chatml";
  return options;
}

class PairRecordsTest : public testing::Test {
 protected:
  TokenCorpus open(const std::string& name, const std::string& text, const RecordOptions& options) {
    return TokenCorpus::open({files_.add(name, text)}, {.records = options}, tokenizer_, {});
  }
  TokenCorpus records(const std::string& text, const RecordOptions& options = pairs()) {
    return open("pairs.jsonl", text, options);
  }
  TokenCorpus lines(const std::string& text, const RecordOptions& options = pairs()) {
    return open("pairs.txt", text, options);
  }
  std::string part(const TokenCorpus& corpus, std::size_t index, std::uint64_t document = 0) {
    return tokenizer_.decode(corpus.document(document).part(index));
  }
  void expect_bad(const std::string& record, const std::string& message) {
    EXPECT_ERROR(records(record), data, files_.path("pairs.jsonl") + ":1" + message);
  }
  void expect_bad_line(const std::string& line, const std::string& message) {
    EXPECT_ERROR(lines(line), data, files_.path("pairs.txt") + ":1: " + message);
  }

  CorpusFiles files_;
  Tokenizer tokenizer_ = Tokenizer::load(std::string(SURPRISAL_TEST_DATA) + "/golden/chats");
};

TEST_F(PairRecordsTest, AlpacaHasThePublishedPrompts) {
  const TokenCorpus corpus = records(
      "{\"instruction\": \"Add.\", \"input\": \"1 2\", \"output\": \"3\"}\n"
      "{\"instruction\": \"Say hi.\", \"input\": \"\", \"output\": \"hi\", \"history\": []}\n"
      "{\"instruction\": \"Say hi.\", \"output\": \"hi\", \"text\": \"unread\"}\n"
      "{\"instruction\": \"Say hi.\", \"input\": null, \"output\": \"hi\"}\n");
  EXPECT_EQ(
      part(corpus, 0),
      "Below is an instruction that describes a task, paired with an input that provides further context. "
      "Write a response that appropriately completes the request.\n\n### Instruction:\nAdd.\n\n### "
      "Input:\n1 2\n\n### Response:\n");
  EXPECT_EQ(part(corpus, 1), "3");
  for (std::uint64_t document : {1, 2, 3}) {
    EXPECT_EQ(
        part(corpus, 0, document),
        "Below is an instruction that describes a task. Write a response that appropriately completes the "
        "request.\n\n### Instruction:\nSay hi.\n\n### Response:\n");
    EXPECT_EQ(part(corpus, 1, document), "hi");
  }
}

// microsoft/LoRA: the line stripped, then cut at its bars; a blank before the completion.
TEST_F(PairRecordsTest, LinesArePairs) {
  const std::string text = "  name : A || food : b||An A . \n\n \t\nx||y\r\n";
  EXPECT_ERROR(lines(text), data,
               HasSubstr("pairs.txt:1: the line has \"||\" twice: expected context||completion"));
  const TokenCorpus corpus = lines("  name : A | food : b ||An A . \n\n \t\nx||y\r\n");
  ASSERT_EQ(corpus.documents(), 2u);
  EXPECT_EQ(part(corpus, 0), "name : A | food : b ");
  EXPECT_EQ(part(corpus, 1), " An A .");
  EXPECT_TRUE(corpus.document(0).has(PairMark::line));
  EXPECT_EQ(part(corpus, 1, 1), " y");
  EXPECT_EQ(corpus.origin(1), files_.path("pairs.txt") + ":4");
  RecordOptions never = pairs();
  never.pairs.completion_blank = "never";
  EXPECT_EQ(part(lines("x||y", never), 1), "y");
  RecordOptions always = pairs();
  always.pairs.completion_blank = "always";
  EXPECT_EQ(part(records("{\"prompt\": \"x\", \"completion\": \"y\"}", always), 1), " y");
}

// Where texts are read too, a text file holds texts.
TEST_F(PairRecordsTest, LinesAreTextsWhereTextsAreRead) {
  RecordOptions both = pairs();
  both.add(DocumentKind::text);
  EXPECT_EQ(lines("x||y", both).kind(), DocumentKind::text);
}

TEST_F(PairRecordsTest, JointlyATokenBelongsToWhereItsTextBegins) {
  const std::string record = "{\"prompt\": \"Hello th\", \"completion\": \"ere you\"}";
  const TokenCorpus apart = records(record), joint = records(record, pairs("jointly"));
  EXPECT_EQ(part(apart, 0), "Hello th");
  EXPECT_EQ(part(apart, 1), "ere you");
  EXPECT_FALSE(apart.document(0).has(PairMark::prompt_differs));
  // " there" is one token, which begins in the prompt.
  EXPECT_EQ(part(joint, 0), "Hello there");
  EXPECT_EQ(part(joint, 1), " you");
  EXPECT_TRUE(joint.document(0).has(PairMark::prompt_differs));
  const std::string clean = "{\"prompt\": \"Hello\", \"completion\": \" there\"}";
  EXPECT_EQ(records(clean).document(0).tokens.size(),
            records(clean, pairs("jointly")).document(0).tokens.size());
  EXPECT_FALSE(records(clean, pairs("jointly")).document(0).has(PairMark::prompt_differs));
  EXPECT_ERROR(
      records("{\"prompt\": \"Hello th\", \"completion\": \"ere\"}", pairs("jointly")), data,
      HasSubstr("pairs.jsonl:1: the tokenizer makes no token of the pair's completion; all of it may lie in "
                "a token of the prompt's end: set objective.conditional.tokenise = \"separately\""));
}

// As in any text: transformers makes special tokens of these too.
TEST_F(PairRecordsTest, TextsMaySpellSpecialTokens) {
  const TokenCorpus corpus = records(
      "{\"prompt\": \"<|im_start|>a\", \"completion\": \"b<|im_end|>\"}\n{\"prompt\": \"<|im_start|>\", "
      "\"completion\": \"b\"}");
  EXPECT_EQ(corpus.document(0).part(0)[0], tokenizer_.id("<|im_start|>"));
  EXPECT_EQ(corpus.document(0).part(1).back(), tokenizer_.id("<|im_end|>"));
  EXPECT_TRUE(corpus.document(0).has(PairMark::special_completion));
  EXPECT_FALSE(corpus.document(1).has(PairMark::special_completion));
}

// What is read of pairs decides their tokens, so a cache of one reading is none of another.
TEST_F(PairRecordsTest, OptionsArePartOfTheCachesKey) {
  const std::string record = "{\"prompt\": \"a\", \"completion\": \"b\"}";
  const std::string fingerprint = records(record).fingerprint();
  EXPECT_EQ(records(record).fingerprint(), fingerprint);
  EXPECT_NE(records(record, pairs("jointly")).fingerprint(), fingerprint);
  for (auto change : {+[](PairOptions& options) { options.chat = "llama3"; },
                      +[](PairOptions& options) { options.turns = "last"; },
                      +[](PairOptions& options) { options.completion_blank = "always"; }}) {
    RecordOptions other = pairs();
    change(other.pairs);
    EXPECT_NE(records(record, other).fingerprint(), fingerprint);
  }
}

// The file on disk holds which parts are scored, and how the pair was made.
TEST_F(PairRecordsTest, CacheHoldsPartsAndMarks) {
  const std::string file =
      files_.add("chat.jsonl",
                 R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},)"
                 R"({"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]})");
  auto open_cached = [&] {
    return TokenCorpus::open({file}, {.records = pairs()}, tokenizer_, files_.path("cache"));
  };
  const TokenCorpus made = open_cached(), mapped = open_cached();
  for (const TokenCorpus& corpus : {made, mapped}) {
    ASSERT_EQ(corpus.document(0).sentences.size(), 4u);
    EXPECT_EQ(part(corpus, 1), "b<|im_end|>");
    EXPECT_EQ(part(corpus, 3), "d<|im_end|>");
    EXPECT_EQ(corpus.document(0).marks, PairMark::chat);
  }
}

TEST_F(PairRecordsTest, BadMessages) {
  const std::string turn = R"({"role": "user", "content": "a"})",
                    answer = R"({"role": "assistant", "content": "b"})";
  auto messages = [](const std::string& list) { return "{\"messages\": [" + list + "]}"; };
  expect_bad("{\"messages\": []}", ": field \"messages\" of the record has no message");
  expect_bad("{\"messages\": \"a\"}",
             ": field \"messages\" of the record is no list: found string, expected an array of messages");
  expect_bad(messages("1"),
             ", messages[0]: a message is no object: found number, expected such as {\"role\": \"user\", "
             "\"content\": \"...\"}");
  expect_bad(messages("{}"), ", messages[0]: the message has no field \"role\": found none");
  expect_bad(messages("{\"role\": 1}"),
             ", messages[0]: field \"role\" of the message is no text: found number, expected a string");
  expect_bad(messages(turn + ", {\"role\": \"tool\", \"content\": \"x\"}, " + answer),
             ", messages[1]: no layout of chats has the role \"tool\": found user, tool, assistant, expected "
             "system, "
             "user and assistant");
  expect_bad(messages("{\"role\": \"user\"}"),
             ", messages[0]: the message has no field \"content\": found role");
  expect_bad(messages("{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"a\"}]}"),
             ", messages[0]: field \"content\" of the message is no text: found array, expected a string");
  expect_bad(messages("{\"role\": \"user\", \"content\": null}"),
             ", messages[0]: field \"content\" of the message is no text: found null, expected a string");
  expect_bad(messages("{\"role\": \"assistant\", \"content\": \"a\", \"tool_calls\": [1]}"),
             ", messages[0]: the message has \"tool_calls\", which no layout of chats here writes");
  expect_bad(messages(turn),
             ": the messages have no turn of the assistant, which would be the completion: found user");
  expect_bad(messages(turn + ", {\"role\": \"assistant\", \"content\": \" \"}"),
             ", message 1: a turn of the assistant has no text");
  expect_bad("{\"prompt\": [" + answer + "], \"completion\": [" + turn + "]}",
             ": the messages have no turn of the assistant, which would be the completion: found user");
  expect_bad(
      "{\"prompt\": [" + turn + "], \"completion\": \"b\"}",
      ": field \"completion\" of the record is no list of messages, as its prompt is: found string, expected "
      "an array");
}

TEST_F(PairRecordsTest, BadRecords) {
  expect_bad("{\"instruction\": \"a\"}", ": the record has no field \"output\": found instruction");
  expect_bad("{\"output\": \"a\"}", ": the record has no field \"instruction\": found output");
  expect_bad("{\"instruction\": \"a\", \"input\": 1, \"output\": \"b\"}",
             ": field \"input\" of the record is no text: found number, expected a string");
  expect_bad("{\"instruction\": \"a\", \"output\": \" \"}", ": the pair's completion has no text");
  expect_bad("{\"instruction\": \"a\", \"output\": \"b\", \"history\": [[\"c\", \"d\"]]}",
             ": the record has \"history\" beside \"instruction\", for which Alpaca's prompt has no place; "
             "give such "
             "records as \"messages\"");
  expect_bad(
      "{\"prompt\": \"a\", \"completion\": \"b\", \"messages\": []}",
      ": the record is a pair in two ways: found completion, messages, prompt, expected one of fields "
      "\"prompt\" and \"completion\", \"messages\", or \"instruction\" and \"output\"; leave the others out");
  expect_bad(
      "{\"conversations\": []}",
      ": the record is of no kind that is read: found conversations, expected a pair (fields \"prompt\" and "
      "\"completion\", \"messages\", or \"instruction\" and \"output\")");
}

TEST_F(PairRecordsTest, BadLines) {
  expect_bad_line("no bars | here",
                  "the line has no \"||\" between context and completion: expected context||completion");
  expect_bad_line(
      "a||b||c",
      "the line has \"||\" twice: expected context||completion; give such pairs as records, {\"prompt\": "
      "..., \"completion\": ...}");
  expect_bad_line("a||", "the pair's completion has no text");
  EXPECT_ERROR(lines(""), data, files_.path("pairs.txt") + ": the file is empty");
  EXPECT_ERROR(lines("\n \n"), data, HasSubstr("no text: every document is blank"));
}

}  // namespace
}  // namespace surprisal
