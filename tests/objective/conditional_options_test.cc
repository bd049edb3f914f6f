// What options make of pairs and chats: several completions, the begin of text, sight, and what is too long.
#include "core/file.h"
#include "core/json.h"
#include "objective/conditional.h"
#include "objective/records.h"
#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"
#include "tests/objective/conditional_samples.h"

namespace surprisal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ObjectiveOptions with(void (*change)(ConditionalOptions&)) {
  ObjectiveOptions options;
  change(options.conditional);
  return options;
}

ObjectiveOptions too_long(const std::string& rule) {
  ObjectiveOptions options;
  options.conditional.too_long = rule;
  return options;
}

// A tokenizer with an end of text and no begin, as Qwen2's.
Tokenizer no_begin_tokenizer() {
  return Tokenizer::from_json(text_tokenizer().tokenizer_json(), R"({"eos_token":"<|endoftext|>"})", "test");
}

const std::vector<Ids> kChat{{11, 12}, {21, 22}, {13}, {23}};

// Nothing is put around a chat: its layout wrote all of it.
TEST(ConditionalChat, EveryArray) {
  const Stream stream = pair_sample(chat_of(kChat), text_tokenizer(), 16);
  EXPECT_EQ(stream.token, (Ids{11, 12, 21, 22, 13}));
  EXPECT_EQ(stream.position, (Ids{0, 1, 2, 3, 4}));
  EXPECT_EQ(stream.visible, visible(0, 5));
  EXPECT_EQ(stream.target, (std::vector<Target>{{1, 21, 1}, {2, 22, 1}, {4, 23, 1}}));
}

TEST(ConditionalChat, NotesTellCompletionsApart) {
  const Mixture mixture("conditional", {}, text_tokenizer(), 16);
  const Stream stream = samples_of(chat_of(kChat), mixture)[0];
  const SampleNotes notes = mixture.notes({.seed = 1, .kind = DocumentKind::pair}, stream);
  EXPECT_THAT(notes.lines, ElementsAre("rows [0,2) are the prompt; of 2 completions the last is cut"));
  EXPECT_THAT(notes.rows, ElementsAre("prompt", "prompt", "completion", "completion", "prompt"));
}

// What would stand behind the last target is no row.
TEST(ConditionalChat, IsCutBehindTheLastTargetThatFits) {
  const std::vector<Ids> parts{{11}, {21}, {12, 13, 14, 15}, {22}};
  for (std::int64_t length : {4, 5}) {
    const Stream cut = pair_sample(chat_of(parts), text_tokenizer(), length);
    EXPECT_EQ(cut.token, (Ids{11}));
    EXPECT_EQ(cut.target, (std::vector<Target>{{0, 21, 1}}));
  }
  EXPECT_EQ(pair_sample(chat_of(parts), text_tokenizer(), 6).target,
            (std::vector<Target>{{0, 21, 1}, {5, 22, 1}}));
}

// The last turns are what is answered, so a chat loses its beginning.
TEST(ConditionalCut, ChatsKeepTheEndOfTheirPrompt) {
  const TokenCorpus chat = chat_of({{11, 12, 13, 14, 15, 16, 17, 18, 19}, {21, 22}});
  EXPECT_EQ(pair_sample(chat, text_tokenizer(), 8).token, (Ids{13, 14, 15, 16, 17, 18, 19, 21}));
  EXPECT_EQ(pair_sample(chat, text_tokenizer(), 8, too_long("keep_start")).token,
            (Ids{11, 12, 13, 14, 15, 16, 17, 21}));
  EXPECT_THAT(
      Mixture("conditional", {}, text_tokenizer(), 8).remarks(chat),
      ElementsAre("objective conditional: 1 of 1 pairs is longer than a sequence of 8: cut at the start are "
                  "1 prompt, at the end 0 prompts and 0 completions"));
}

TEST(ConditionalCut, PromptMayKeepItsEnd) {
  const TokenCorpus pair = pairs_of({{{11, 12, 13, 14, 15, 16}, {21, 22}}});
  EXPECT_EQ(pair_sample(pair, text_tokenizer(), 8, too_long("keep_end")).token,
            (Ids{kEndOfText, 12, 13, 14, 15, 16, 21, 22}));
  // Part A keeps its end and the mask stays where it is, or goes to the end.
  const auto glm = [&](const Ids& prompt) {
    return pair_sample(pairs_of({{prompt, {21}}}), glm_tokenizer(), 10, too_long("keep_end")).token;
  };
  EXPECT_EQ(glm({11, 12, 13, 14, 15, 16}),
            (Ids{kCls, 12, 13, 14, 15, 16, kMask, glm::kEnd, glm::kStart, 21}));
  EXPECT_EQ(glm({11, 12, 13, 14, 15, 16, kMask, 17}),
            (Ids{kCls, 13, 14, 15, 16, kMask, 17, glm::kEnd, glm::kStart, 21}));
  EXPECT_EQ(glm({kMask, 12, 13, 14, 15, 16, 17, 18}),
            (Ids{kCls, 14, 15, 16, 17, 18, kMask, glm::kEnd, glm::kStart, 21}));
}

TEST(ConditionalCut, LongPairsMayBeLeftOut) {
  const TokenCorpus pairs = pairs_of({{Ids(20, 11), {21}}, {{11}, {22}}, {Ids(3, 11), Ids(20, 21)}});
  const Mixture mixture("conditional", too_long("drop"), text_tokenizer(), 16);
  const std::vector<Stream> samples = samples_of(pairs, mixture);
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0].target[0].id, 22);
  EXPECT_THAT(mixture.remarks(pairs),
              ElementsAre("objective conditional: 2 of 3 pairs are longer than a sequence of "
                          "16: 2 pairs are left out"));
  EXPECT_ERROR(
      samples_of(pairs_of({{Ids(20, 11), {21}}}), mixture), data,
      "document 0 and on: every pair is longer than a sequence and left out: no target remains: found 1 "
      "pair, expected at most 16 rows; raise data.sequence_length, or set objective.conditional.too_long to "
      "keep_start or keep_end");
}

TEST(ConditionalCut, LongPairsMayBeAnError) {
  const Mixture mixture("conditional", too_long("error"), text_tokenizer(), 16);
  EXPECT_EQ(samples_of(pairs_of({{Ids(13, 11), {21, 22}}}), mixture)[0].size(), 16);
  EXPECT_ERROR(samples_of(pairs_of({{{11}, {21}}, {Ids(14, 11), {21, 22}}}), mixture), data,
               "document 1: the pair is longer than a sequence: found 17 rows, expected at most 16; raise "
               "data.sequence_length, or choose what becomes of such pairs (objective.conditional.too_long)");
  EXPECT_ERROR(Mixture("conditional", too_long("cut"), text_tokenizer(), 16), usage,
               HasSubstr("objective.conditional.too_long is unknown: found cut"));
}

// Chats of all shapes: every rule keeps to the sequence, and to at least one target.
TEST(ConditionalCut, NoPairIsLeftWithoutATarget) {
  for (const char* rule : {"auto", "keep_start", "keep_end"}) {
    for (std::int64_t length : {4, 5, 9}) {
      for (std::int32_t prompt = 1; prompt < 14; ++prompt) {
        for (std::int32_t middle = 1; middle < 8; ++middle) {
          const TokenCorpus chat = chat_of({Ids(prompt, 11), Ids(2, 21), Ids(middle, 12), Ids(3, 22)});
          const Stream stream = pair_sample(chat, text_tokenizer(), length, too_long(rule));
          ASSERT_LE(stream.size(), length);
          ASSERT_FALSE(stream.target.empty());
          ASSERT_EQ(stream.target.back().row, stream.size() - 1);
          const TargetCount count = Mixture("conditional", too_long(rule), text_tokenizer(), length)
                                        .parts()[0]
                                        .terms[0]
                                        .objective->count_targets(chat);
          ASSERT_EQ(count.targets, stream.target.size());
        }
      }
    }
  }
}

TEST(ConditionalBeginOfText, StandsWhereItIsAskedFor) {
  auto made = [](const Tokenizer& tokenizer, const char* place, std::uint8_t marks) {
    ObjectiveOptions options;
    options.conditional.begin_of_text = place;
    return pair_sample(pairs_of({{{11, 12}, {21}}}, marks), tokenizer, 16, options);
  };
  const Tokenizer tokenizer = full_tokenizer();  // [CLS] begins and [SEP] ends
  EXPECT_EQ(made(tokenizer, "auto", 0).token, (Ids{kCls, 11, 12, 21}));
  EXPECT_EQ(made(tokenizer, "auto", PairMark::line).token, (Ids{11, 12, kCls, 21}));
  EXPECT_EQ(made(tokenizer, "between", 0).token, (Ids{11, 12, kCls, 21}));
  EXPECT_EQ(made(tokenizer, "before", PairMark::line).token, (Ids{kCls, 11, 12, 21}));
  EXPECT_EQ(made(tokenizer, "none", PairMark::line).token, (Ids{11, 12, 21}));
  EXPECT_EQ(made(tokenizer, "none", 0).target, (std::vector<Target>{{1, 21, 1}, {2, kSep, 1}}));
  // Without a begin of text none stands before, and the end of text between.
  EXPECT_EQ(made(no_begin_tokenizer(), "auto", 0).token, (Ids{11, 12, 21}));
  EXPECT_EQ(made(no_begin_tokenizer(), "auto", PairMark::line).token, (Ids{11, 12, kEndOfText, 21}));
  EXPECT_ERROR(made(no_begin_tokenizer(), "before", 0), usage,
               HasSubstr("objective conditional needs a tokenizer with a begin-of-text token (bos)"));
  EXPECT_ERROR(made(tokenizer, "behind", 0), usage,
               HasSubstr("objective.conditional.begin_of_text is unknown: found behind"));
  EXPECT_ERROR(
      pair_sample(pairs_of({{{}, {21}}}), no_begin_tokenizer(), 16), data,
      "document 0: the prompt is empty, and no begin of text stands before the completion; the tokenizer "
      "has none: leave such pairs out");
}

// microsoft/LoRA's arrays of E2E lines: the first prediction is made at the begin of text between.
TEST(ConditionalBeginOfText, LinesAreMicrosoftLoras) {
  const std::string folder = std::string(SURPRISAL_TEST_DATA) + "/golden/chats";
  const Tokenizer tokenizer = Tokenizer::load(folder);
  const Json goldens = parse_json(read_file(folder + "/chats.json"), "chats.json");
  const Mixture mixture("conditional", {}, tokenizer, 512);
  TemporaryDirectory directory;
  for (const Json& golden : goldens["lines"]) {
    const std::string path = directory / "e2e.txt";
    write_file_atomically(path, golden["line"].get<std::string>() + "\n");
    const TokenCorpus corpus =
        TokenCorpus::open({path}, {.records = records_of({&mixture}, {})}, tokenizer, {});
    const Stream stream = samples_of(corpus, mixture).at(0);
    EXPECT_EQ(stream.token, golden["input"].get<Ids>());
    std::vector<Target> targets;
    for (std::int32_t row = 0; row < stream.size(); ++row) {
      if (golden["mask"][row] == 1.0) targets.push_back({row, golden["target"][row].get<std::int32_t>(), 1});
    }
    EXPECT_EQ(stream.target, targets);
  }
}

TEST(ConditionalPrefix, RowsBeforeTheFirstTargetSeeOneAnother) {
  const ObjectiveOptions options = with([](ConditionalOptions& o) { o.prefix_lm = true; });
  const Stream pair = pair_sample(pairs_of({{{11, 12, 13}, {21, 22}}}), text_tokenizer(), 16, options);
  EXPECT_EQ(pair.visible, visible(4, 6));
  EXPECT_EQ(pair.target[0].row, 3);
  // Of a chat that is the context before the first turn that is scored; later ones see what stands before
  // them.
  EXPECT_EQ(pair_sample(chat_of(kChat), text_tokenizer(), 16, options).visible, visible(2, 5));
  const Mixture mixture("conditional", options, text_tokenizer(), 16);
  EXPECT_FALSE(mixture.decoder());
  const Stream noted = samples_of(chat_of(kChat), mixture)[0];
  EXPECT_THAT(mixture.notes({.kind = DocumentKind::pair}, noted).lines,
              ElementsAre(HasSubstr("rows [0,2) are the prompt and see one another")));
}

TEST(ConditionalRemarks, CountWhatTokenisingMadeOfThePairs) {
  const TokenCorpus::Ids differs = pair_document({{11}, {21}}, PairMark::prompt_differs),
                         special = pair_document({{11}, {21}}, PairMark::special_completion),
                         plain = pair_document({{11}, {21}});
  const Mixture mixture("conditional", {}, text_tokenizer(), 16);
  EXPECT_THAT(
      mixture.remarks(TokenCorpus::from_ids({differs, special, plain, special})),
      ElementsAre("objective conditional: 1 of 4 prompts have other tokens together with their completions "
                  "than alone, as the model meets them when it is to complete them; "
                  "objective.conditional.tokenise = \"separately\" keeps them as they are alone",
                  "objective conditional: 2 of 4 completions spell special tokens, which become targets"));
  EXPECT_THAT(mixture.remarks(TokenCorpus::from_ids({plain})), IsEmpty());
}

// A model of blanks has one piece; a chat has no place in it.
TEST(ConditionalLayout, ChatsAreForDecoders) {
  EXPECT_ERROR(pair_sample(chat_of(kChat), glm_tokenizer(), 16), data,
               "document 0: a chat has no form as a blank of layout glm; set objective.conditional.layout = "
               "\"decoder\", or give prompt and completion as texts");
}

}  // namespace
}  // namespace surprisal
