// explain shows streams, loss evaluates them: together they are how anyone checks the program against
// another.
#include <cmath>
#include <cstring>
#include <ostream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "core/text_width.h"
#include "store/safetensors.h"
#include "tests/app/program.h"
#include "tests/infer/tiny_language.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

using testing::HasSubstr;

struct Case {
  const char* objective;
  const char* model;
};
// A name that is the same in every process.
void PrintTo(const Case& test, std::ostream* stream) {
  *stream << test.objective;
}

class ExplainAndLoss : public testing::TestWithParam<Case> {
 protected:
  Outcome explain(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{
        "explain",           "--objective", GetParam().objective, "--tokenizer", GetParam().model, "--json",
        "--sequence-length", "16",          "--samples",          "9",           "text.txt"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return workplace_.run(arguments);
  }
  Workplace workplace_;
};
INSTANTIATE_TEST_SUITE_P(Objectives, ExplainAndLoss,
                         testing::Values(Case{"causal", "gpt2"}, Case{"reverse", "gpt2"}, Case{"mlm", "bert"},
                                         Case{"nsp", "bert"}, Case{"mlm + nsp", "bert"},
                                         Case{"mlm + sop", "bert"},
                                         Case{"0.5 causal | 0.5 reverse", "gpt2"}));

TEST_P(ExplainAndLoss, StreamsGiveTheLossOfTheText) {
  Outcome streams = explain();
  ASSERT_EQ(streams.code, 0) << streams.err;
  EXPECT_EQ(streams.json_lines().size(), 9u);
  workplace_.write("streams.jsonl", streams.out);
  Outcome from_pipe =
      workplace_.run({"loss", "--model", GetParam().model, "--streams", "-", "--json"}, streams.out);
  Outcome from_file =
      workplace_.run({"loss", "--model", GetParam().model, "--streams", "streams.jsonl", "--json"});
  Outcome from_text =
      workplace_.run({"loss", "--model", GetParam().model, "--objective", GetParam().objective, "--text",
                      "text.txt", "--sequence-length", "16", "--samples", "9", "--json"});
  ASSERT_EQ(from_pipe.code, 0) << from_pipe.err;
  EXPECT_EQ(from_pipe.out, from_file.out);
  EXPECT_EQ(from_pipe.out, from_text.out);
}

TEST_P(ExplainAndLoss, TheLossFollowsFromItsParts) {
  Outcome streams = explain();
  Json loss =
      workplace_.run({"loss", "--model", GetParam().model, "--streams", "-", "--json"}, streams.out).json();
  double expected = 0;
  for (const char* term : {"token", "label"}) {
    double sum = 0, weight = 0;
    const Json& surprisals = loss.at(std::string(term) == "token" ? "surprisal" : "label_surprisal");
    std::vector<Json> lines = streams.json_lines();
    ASSERT_EQ(surprisals.size(), lines.size());
    for (std::size_t line = 0; line < lines.size(); ++line) {
      const Json& entries = lines[line].at(std::string(term) == "token" ? "target" : "label");
      ASSERT_EQ(surprisals[line].size(), entries.size());
      for (std::size_t entry = 0; entry < entries.size(); ++entry) {
        sum += entries[entry][2].get<double>() * surprisals[line][entry].get<double>();
        weight += entries[entry][2].get<double>();
      }
    }
    EXPECT_NEAR(loss.at("terms").at(term).at("sum"), sum, 1e-9);
    EXPECT_EQ(loss.at("terms").at(term).at("weight"), weight);
    if (weight > 0) expected += sum / weight;
  }
  EXPECT_NEAR(loss.at("loss"), expected, 1e-12);
}

TEST_P(ExplainAndLoss, GoesOnIntoTheNextEpoch) {
  std::vector<Json> lines = explain({"--epoch", "3"}).json_lines();
  ASSERT_EQ(lines.size(), 9u);
  EXPECT_EQ(lines, explain({"--epoch", "3"}).json_lines());
  Outcome many = workplace_.run({"explain", "--objective", GetParam().objective, "--tokenizer",
                                 GetParam().model, "--json", "--samples", "200", "text.txt"});
  EXPECT_EQ(many.json_lines().size(), 200u);
}

TEST_P(ExplainAndLoss, TheTableIsAligned) {
  Outcome table = workplace_.run({"explain", "--objective", GetParam().objective, "--tokenizer",
                                  GetParam().model, "--sequence-length", "16", "--samples", "2", "text.txt"});
  ASSERT_EQ(table.code, 0) << table.err;
  std::istringstream text(table.out);
  std::size_t id = std::string::npos;
  int rows = 0;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("row ")) id = line.find(" id ") + 1;
    if (id == std::string::npos || line.empty() || !isdigit(line[0])) continue;
    ++rows;  // the id stands under its title, counted in columns of the terminal
    std::size_t at = 0;
    while (at < line.size() && display_width(line.substr(0, at)) < static_cast<int>(id)) ++at;
    while (at < line.size() && (line[at] & 0xC0) == 0x80) ++at;
    EXPECT_TRUE(isdigit(line[at])) << line;
    EXPECT_EQ(line[at - 1], ' ') << line;
  }
  EXPECT_GT(rows, 10);
  EXPECT_THAT(table.out, HasSubstr("sample 2: "));
}

TEST(Explain, MarksSpecialsAndMaskedTokens) {
  Workplace workplace;
  std::string table = workplace
                          .run({"explain", "--objective", "mlm + nsp", "--tokenizer", "wordpiece",
                                "--samples", "20", "--seed", "4", "text.txt"})
                          .out;
  EXPECT_THAT(table, AllOf(HasSubstr("[CLS]"), HasSubstr("special"), HasSubstr("masked"), HasSubstr("random"),
                           HasSubstr("kept"), HasSubstr("label: row 0, class ")));
}

TEST(Explain, NamesTheOrderOfSegments) {
  Workplace workplace;
  std::string table = workplace
                          .run({"explain", "--objective", "mlm + sop", "--tokenizer", "wordpiece",
                                "--samples", "20", "--objective.mlm.unit", "word", "text.txt"})
                          .out;
  EXPECT_THAT(table, AllOf(HasSubstr("label: row 0, class 0 (in order), weight 1"),
                           HasSubstr("label: row 0, class 1 (swapped), weight 1"), HasSubstr("masked")));
  EXPECT_FAILS(workplace.run({"explain", "--objective", "nsp | sop", "--tokenizer", "wordpiece", "text.txt"}),
               2, HasSubstr("nsp and sop cannot be trained together"));
  workplace.write("one.txt", "the cat sat\n\na dog ran\n");
  EXPECT_FAILS(workplace.run({"explain", "--objective", "sop", "--tokenizer", "wordpiece", "one.txt"}), 3,
               HasSubstr("objective sop needs documents of two sentences or more: found 2 of one sentence"));
  EXPECT_FAILS(workplace.run({"loss", "--model", "gpt2", "--objective", "sop", "--text", "text.txt"}), 2,
               HasSubstr("objective sop needs a tokenizer with a template for pairs"));
}

// Both rows of positions, who sees what, and which piece fills which blank.
TEST(Explain, NamesTheOrderOfPieces) {
  Workplace workplace;
  glm_tokenizer().save(workplace / "glm");
  workplace.write("glm.txt", "w11 w12 w13 w14 w15 w16 w17 w18\n");
  auto explain = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"explain", "--objective", "blank_infilling", "--tokenizer", "glm", "glm.txt"});
    return workplace.run(more);
  };
  const Outcome token = explain({"--objective.blank_infilling.mask_ratio", "0.3", "--seed", "2"});
  ASSERT_EQ(token.code, 0) << token.err;
  EXPECT_EQ(token.out, R"(sample 1: blank_infilling, 12 rows, 5 targets, document at glm.txt:1, epoch 0
level token: rows [0,7) are the text and see one another; 1 piece follows, of blank 1
row  token             id  position  block  segment  visible  target              weight  mark
0    [CLS]             2   0         0      0        [0,7)                                special
1    w11               11  1         0      0        [0,7)
2    w12               12  2         0      0        [0,7)
3    w13               13  3         0      0        [0,7)
4    w14               14  4         0      0        [0,7)
5    [MASK]            4   5         0      0        [0,7)                                blank 1
6    <|endoftext|>     0   6         0      0        [0,7)                                special
7    <|startofpiece|>  7   5         1      0        [0,8)    w15 (15)            1       piece 1: blank 1
8    w15               15  5         2      0        [0,9)    w16 (16)            1       piece 1: blank 1
9    w16               16  5         3      0        [0,10)   w17 (17)            1       piece 1: blank 1
10   w17               17  5         4      0        [0,11)   w18 (18)            1       piece 1: blank 1
11   w18               18  5         5      0        [0,12)   <|endofpiece|> (8)  1       piece 1: blank 1
)");
  const Outcome document = explain(
      {"--objective.blank_infilling.preset", "glm-130b", "--objective.blank_infilling.level", "document"});
  EXPECT_EQ(document.out, R"(sample 1: blank_infilling, 9 rows, 6 targets, document at glm.txt:1, epoch 0
level document: rows [0,3) are the text and see one another; 1 piece follows, of blank 1
row  token             id  position  block  segment  visible  target    weight  mark
0    w11               11  0         0      0        [0,3)
1    w12               12  1         0      0        [0,3)
2    [gMASK]           5   2         0      0        [0,3)                      blank 1
3    <|startofpiece|>  7   3         0      0        [0,4)    w13 (13)  1       piece 1: blank 1
4    w13               13  4         0      0        [0,5)    w14 (14)  1       piece 1: blank 1
5    w14               14  5         0      0        [0,6)    w15 (15)  1       piece 1: blank 1
6    w15               15  6         0      0        [0,7)    w16 (16)  1       piece 1: blank 1
7    w16               16  7         0      0        [0,8)    w17 (17)  1       piece 1: blank 1
8    w17               17  8         0      0        [0,9)    w18 (18)  1       piece 1: blank 1
)");
  EXPECT_FAILS(
      workplace.run({"explain", "--objective", "blank_infilling", "--tokenizer", "wordpiece", "text.txt"}), 2,
      HasSubstr("`surprisal tokenizer add-specials --specials glm --tokenizer DIR --out DIR`"));
}

// Mask rates that change over a run: the end is what is shown unless --progress says otherwise.
TEST(Explain, ShowsAnyPlaceOfASchedule) {
  Workplace workplace;
  auto targets = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"explain",
                                       "--objective",
                                       "mlm",
                                       "--tokenizer",
                                       "wordpiece",
                                       "--json",
                                       "text.txt",
                                       "--objective.mlm.unit=span",
                                       "--objective.mlm.probability=0.8",
                                       "--objective.mlm.final_probability=0.1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Json stream = workplace.run(arguments).json();
    return static_cast<double>(stream.at("target").size()) / static_cast<double>(stream.at("token").size());
  };
  EXPECT_GT(targets({"--progress", "0"}), 0.7);
  EXPECT_NEAR(targets({"--progress", "0.5"}), 0.45, 0.1);
  EXPECT_LT(targets({}), 0.25);
  EXPECT_EQ(targets({}), targets({"--progress", "1"}));
}

// Every way of writing a corpus gives what the file itself gives.
TEST(Explain, ReadsAnyCorpus) {
  Workplace workplace;
  std::filesystem::create_directory(workplace / "d");
  workplace.write("d/a.txt", workplace_text());
  std::string record = to_line({{"body", {{"content", workplace_text()}}}});
  workplace.write("records.jsonl", record + "\n");
  auto explain = [&](std::vector<std::string> more) {
    more.insert(more.begin(),
                {"explain", "--objective", "causal", "--tokenizer", "bpe", "--json", "--samples", "0"});
    return workplace.run(more);
  };
  Outcome plain = explain({"text.txt"});
  ASSERT_EQ(plain.code, 0) << plain.err;
  for (const char* written : {"d", "d/*.txt", "d/**", "./?/a.txt"})
    EXPECT_EQ(explain({written}).out, plain.out);
  Outcome records = explain({"records.jsonl", "--data.field", "body.content"});
  EXPECT_EQ(records.code, 0) << records.err;
  EXPECT_EQ(records.err, "");
  workplace.write("bad.txt",
                  "the c\xFF"
                  "at\n\na dog\n");
  EXPECT_FAILS(explain({"bad.txt"}), 3, HasSubstr("byte 0xFF at offset 5"));
  EXPECT_EQ(explain({"bad.txt", "--data.invalid_utf8", "skip"}).err,
            "surprisal: bad.txt: left out: 1 line that is not UTF-8\n");
  EXPECT_EQ(explain({"bad.txt", "--data.invalid_utf8", "replace"}).err,
            "surprisal: bad.txt: replaced by U+FFFD: 1 sequence that is no UTF-8\n");
}

// Pairs alone and beside texts, in both layouts; loss takes them as explain shows them.
TEST(Explain, ShowsPairs) {
  Workplace workplace;
  workplace.write(
      "pairs.jsonl",
      "{\"prompt\": \"the cat\", \"completion\": \" sees the dog\"}\n"
      "{\"prompt\": \"the cat sees the big dog and the small cat\", \"completion\": \" the end\"}\n");
  auto explain = [&](const char* tokenizer, std::vector<std::string> more) {
    more.insert(more.begin(), {"explain", "--tokenizer", tokenizer, "--objective"});
    return workplace.run(more);
  };
  Outcome shown = explain("bpe", {"conditional", "--samples", "0", "--sequence-length", "16", "pairs.jsonl"});
  ASSERT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("sample 1: conditional, "));
  EXPECT_THAT(shown.out, HasSubstr("document at pairs.jsonl:2, epoch 0"));
  EXPECT_THAT(shown.out, HasSubstr("are the prompt; the completion ends"));
  EXPECT_THAT(shown.err, HasSubstr("surprisal: objective conditional: "));
  EXPECT_THAT(shown.err, HasSubstr("of 2 pairs "));
  Outcome infilling = explain("glm", {"conditional", "pairs.jsonl"});
  EXPECT_THAT(infilling.out, HasSubstr("are the prompt and see one another; the completion ends"));
  EXPECT_THAT(infilling.out, HasSubstr("<|startofpiece|>"));
  Outcome counted =
      explain("glm", {"conditional", "--json", "--objective.conditional.position=continue", "pairs.jsonl"});
  EXPECT_EQ(counted.json().at("position").back(), counted.json().at("token").size() - 1);

  std::filesystem::create_directory(workplace / "both");
  workplace.write("both/a.txt", "the dog sees the cat\n");
  workplace.write("both/b.jsonl", read_file(workplace / "pairs.jsonl"));
  Outcome both =
      explain("bpe", {"0.9 causal | 0.1 conditional", "--samples", "0", "--sequence-length", "64", "both"});
  EXPECT_THAT(both.out, HasSubstr("sample 1: causal, "));
  EXPECT_THAT(both.out, HasSubstr("document at both/a.txt:1"));
  EXPECT_THAT(both.out, HasSubstr("sample 2: conditional, "));
  EXPECT_THAT(both.out, HasSubstr("document at both/b.jsonl:2"));
  EXPECT_FAILS(explain("bpe", {"causal", "both"}), 3,
               AllOf(HasSubstr("both/b.jsonl:1: the record is a pair, and nothing here reads one"),
                     HasSubstr("objective conditional reads pairs")));
  EXPECT_FAILS(explain("bpe", {"conditional", "text.txt"}), 3,
               HasSubstr("text.txt:1: the line has no \"||\" between context and completion"));

  Outcome streams =
      explain("gpt2", {"conditional", "--json", "--samples", "0", "--sequence-length", "16", "pairs.jsonl"});
  Outcome from_pipe = workplace.run({"loss", "--model", "gpt2", "--streams", "-", "--json"}, streams.out);
  Outcome from_text = workplace.run({"loss", "--model", "gpt2", "--objective", "conditional", "--text",
                                     "pairs.jsonl", "--sequence-length", "16", "--json"});
  ASSERT_EQ(from_text.code, 0) << from_text.err;
  EXPECT_EQ(from_text.out, from_pipe.out);
}

TEST(Explain, WideCharactersAreAligned) {
  Workplace workplace;
  workplace.write("wide.txt", "狗 the cat 猫\n");
  workplace.run({"tokenizer", "train", "--type", "wordpiece", "--vocab-size", "60", "--out", "wide",
                 "wide.txt", "text.txt"});
  std::string table = workplace
                          .run({"explain", "--objective", "mlm", "--tokenizer", "wide", "wide.txt",
                                "--objective.mlm.probability", "0.01", "--objective.mlm.mask", "0"})
                          .out;
  std::istringstream text(table);
  int wide = 0, column = 0;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("row ")) column = static_cast<int>(line.find(" id ")) + 1;
    std::size_t found = line.find("狗") == std::string::npos ? line.find("猫") : line.find("狗");
    if (found == std::string::npos) continue;
    ++wide;
    std::size_t id = line.find_first_of("0123456789", found);
    EXPECT_EQ(display_width(line.substr(0, id)), column) << line;
  }
  EXPECT_EQ(wide, 2);
}

// The numbers of a safetensors file, in the order of the file.
std::vector<float> values(const std::string& file, std::size_t& begin) {
  std::uint64_t header = 0;
  std::memcpy(&header, file.data(), sizeof header);
  begin = sizeof header + header;
  std::vector<float> values((file.size() - begin) / sizeof(float));
  std::memcpy(values.data(), file.data() + begin, values.size() * sizeof(float));
  return values;
}

// Along the gradient the loss changes by the gradient's square: central differences, through files alone.
TEST(Loss, GradientsAreThoseOfTheLoss) {
  Workplace workplace;
  auto loss = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"loss",   "--model",  "bert",      "--objective", "mlm + nsp",
                                       "--text", "text.txt", "--samples", "4",           "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return workplace.run(arguments).json().at("loss").get<double>();
  };
  double with_gradients = loss({"--gradients", "gradients.safetensors"});
  EXPECT_EQ(loss({}), with_gradients);
  SafetensorsFile gradient_file(workplace / "gradients.safetensors"),
      weight_file(workplace / "bert/model.safetensors");
  ASSERT_EQ(gradient_file.tensors().size(), weight_file.tensors().size());
  for (std::size_t index = 0; index < weight_file.tensors().size(); ++index) {
    EXPECT_EQ(gradient_file.tensors()[index].name, weight_file.tensors()[index].name);
    EXPECT_EQ(gradient_file.tensors()[index].shape, weight_file.tensors()[index].shape);
    EXPECT_EQ(gradient_file.tensors()[index].dtype, "F32");
  }
  std::size_t begin = 0;
  std::vector<float> gradients = values(read_file(workplace / "gradients.safetensors"), begin);
  std::string file = read_file(workplace / "bert/model.safetensors");
  std::vector<float> weights = values(file, begin);
  ASSERT_EQ(gradients.size(), weights.size());
  double square = 0;
  for (float gradient : gradients) square += static_cast<double>(gradient) * gradient;
  ASSERT_GT(square, 1e-4);
  const double step = 1e-2 / std::sqrt(square);
  auto loss_along = [&](double steps) {
    std::vector<float> moved(weights.size());
    for (std::size_t i = 0; i < moved.size(); ++i)
      moved[i] = static_cast<float>(weights[i] + steps * gradients[i]);
    std::memcpy(file.data() + begin, moved.data(), moved.size() * sizeof(float));
    workplace.write("bert/model.safetensors", file);
    return loss({});
  };
  EXPECT_NEAR((loss_along(step) - loss_along(-step)) / (2 * step) / square, 1, 0.01);
}

TEST(Loss, ReadsStreamsThatLeaveOutWhatFollows) {
  Workplace workplace;
  const char* whole =
      R"({"token":[1,2,3],"position":[0,1,2],"block_position":[0,0,0],"segment":[0,0,0],"visible":[[0,1],[0,2],[0,3]],)"
      R"("target":[[0,2,1],[2,4,0.5]],"label":[]})";
  const char* least = R"({"token":[1,2,3],"visible":[[0,1],[0,2],[0,3]],"target":[[0,2,1],[2,4,0.5]]})";
  Outcome expected = workplace.run({"loss", "--model", "gpt2", "--streams", "-", "--json"}, whole);
  ASSERT_EQ(expected.code, 0) << expected.err;
  EXPECT_EQ(workplace.run({"loss", "--model", "gpt2", "--streams", "-", "--json"}, least).out, expected.out);
  EXPECT_EQ(expected.json().at("terms").at("token").at("weight"), 1.5);
  std::filesystem::remove(workplace / "gpt2/tokenizer.json");  // not needed for streams
  EXPECT_EQ(workplace.run({"loss", "--model", "gpt2", "--streams", "-", "--json"}, least).out, expected.out);
}

// All lines together are one step: the loss of two is the weighted mean of theirs.
TEST(Loss, LinesAreOneStep) {
  Workplace workplace;
  std::string first = R"({"token":[1,2],"visible":[[0,1],[0,2]],"target":[[0,2,1],[1,5,3]]})";
  std::string second = R"({"token":[7],"visible":[[0,1]],"target":[[0,3,0.5]]})";
  auto loss = [&](const std::string& lines) {
    return workplace.run({"loss", "--model", "gpt2", "--streams", "-", "--json"}, lines).json();
  };
  Json one = loss(first), two = loss(second), both = loss(first + "\n\n" + second + "\n");
  EXPECT_NEAR(both.at("loss"), (4 * one.at("loss").get<double>() + 0.5 * two.at("loss").get<double>()) / 4.5,
              1e-6);
  EXPECT_EQ(both.at("surprisal").size(), 2u);
  EXPECT_EQ(both.at("label_surprisal"), Json::parse("[[],[]]"));
}

TEST(Loss, PrintsTheTerms) {
  Workplace workplace;
  Outcome outcome = workplace.run(
      {"loss", "--model", "bert", "--objective", "mlm + nsp", "--text", "text.txt", "--samples", "3"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, AllOf(testing::StartsWith("loss "), HasSubstr("\ntoken "), HasSubstr("\nlabel ")));
}

}  // namespace
}  // namespace surprisal
