#include "core/options.h"

#include <bit>
#include <cmath>
#include <filesystem>
#include <limits>
#include <random>

#include "core/file.h"
#include "tests/core/error_matchers.h"
#include "tests/core/options_fixture.h"
#include "tests/core/temporary_directory.h"

namespace surprisal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Options, ReadEveryTypeAndNestedTables) {
  SampleOptions options;
  std::vector<std::string> given = read_options_text(R"(
    [run]
    directory = "/runs/bert"
    seed = 42
    [data]
    train = ["/a.txt", "/b.jsonl.gz"]
    [objective.mlm]
    probability = 0.3
    count = "bernoulli"
    [train]
    resume = true
  )",
                                                     "run.toml", {}, options.visitor());
  EXPECT_EQ(options.directory, "/runs/bert");
  EXPECT_EQ(options.seed, 42);
  EXPECT_THAT(options.train, ElementsAre("/a.txt", "/b.jsonl.gz"));
  EXPECT_EQ(options.probability, 0.3);
  EXPECT_EQ(options.count, "bernoulli");
  EXPECT_TRUE(options.resume);
  EXPECT_EQ(options.learning_rate, 1e-3);  // its default
  EXPECT_THAT(given, ElementsAre("run.directory", "run.seed", "data.train", "objective.mlm.probability",
                                 "objective.mlm.count", "train.resume"));
}

TEST(Options, InlineTablesAndDottedKeysAreTablesToo) {
  SampleOptions options;
  read_sample(options, "objective = {mlm = {probability = 0.2}}\ntrain.max_steps = 7\n");
  EXPECT_EQ(options.probability, 0.2);
  EXPECT_EQ(options.max_steps, 7);
}

TEST(Options, ANumberMayBeWrittenAsAnInteger) {
  SampleOptions options;
  read_sample(options, "objective.mlm.probability = 1\n", {{"train.learning_rate", "2"}});
  EXPECT_EQ(options.probability, 1.0);
  EXPECT_EQ(options.learning_rate, 2.0);
}

TEST(Options, CommandLineBeatsFileBeatsDefault) {
  SampleOptions options;
  std::vector<std::string> given =
      read_sample(options, "run.seed = 2\ntrain.max_steps = 5\n", {{"run.seed", "3"}});
  EXPECT_EQ(options.seed, 3);
  EXPECT_EQ(options.max_steps, 5);
  EXPECT_EQ(options.probability, 0.15);
  EXPECT_THAT(given, ElementsAre("run.directory", "run.seed", "data.train", "train.max_steps"));
  read_sample(options, "", {{"run.seed", "4"}, {"run.seed", "5"}});  // the last one counts
  EXPECT_EQ(options.seed, 5);
}

TEST(Options, OverridesAreTomlValues) {
  SampleOptions options;
  read_sample(options, "",
              {{"train.learning_rate", "3e-4"},
               {"train.resume", "true"},
               {"data.train", R"(["/a b.txt", "/c.txt"])"},
               {"objective.mlm.count", "\"bernoulli\""},
               {"train.max_steps", "0x10"}});
  EXPECT_EQ(options.learning_rate, 3e-4);
  EXPECT_TRUE(options.resume);
  EXPECT_THAT(options.train, ElementsAre("/a b.txt", "/c.txt"));
  EXPECT_EQ(options.count, "bernoulli");
  EXPECT_EQ(options.max_steps, 16);
}

TEST(Options, AnOverrideOfAStringNeedsNoQuotes) {
  SampleOptions options;
  for (std::string text :
       {"0.5 causal | 0.5 reverse", "it's", "a\nb = 1", "", "[draft", "2024-05-01", "12", "true", "语言"}) {
    read_sample(options, "", {{"run.note", text}});
    EXPECT_EQ(options.note, text);
  }
  read_sample(options, "", {{"run.note", "'quoted'"}});
  EXPECT_EQ(options.note, "quoted");
}

TEST(Options, OneStringIsAListOfIt) {
  SampleOptions options;
  read_sample(options, "", {{"data.train", "/corpus/a.txt"}});
  EXPECT_THAT(options.train, ElementsAre("/corpus/a.txt"));
  read_sample(options, "", {{"data.train", "'/b'"}});
  EXPECT_THAT(options.train, ElementsAre("/b"));
  read_options_text("run.directory = '/r'\ndata.train = '/c'", "", {}, options.visitor());
  EXPECT_THAT(options.train, ElementsAre("/c"));
}

TEST(Options, PathsAreMadeAbsolute) {
  std::string here = std::filesystem::current_path().string();
  SampleOptions options;
  read_options_text("run.directory = './runs/bert/'\ndata.train = ['a.txt', '/b.txt', '../c.txt']", "", {},
                    options.visitor());
  EXPECT_EQ(options.directory, here + "/runs/bert");
  EXPECT_THAT(options.train, ElementsAre(here + "/a.txt", "/b.txt", here + "/../c.txt"));
  EXPECT_EQ(options.note, "");  // no path
}

TEST(Options, ComeFromAFile) {
  TemporaryDirectory directory;
  std::string file = (directory / "run.toml").string();
  write_file_atomically(file, std::string(kRequired) + "train.max_steps = 9\n");
  SampleOptions options;
  read_options(file, {}, options.visitor());
  EXPECT_EQ(options.max_steps, 9);
  read_options("", {{"run.directory", "/r"}, {"data.train", "/t"}, {"run.seed", "8"}}, options.visitor());
  EXPECT_EQ(options.seed, 8);
  EXPECT_ERROR(read_options((directory / "none.toml").string(), {}, options.visitor()), io,
               HasSubstr("none.toml: cannot open: No such file or directory"));
  EXPECT_ERROR(read_options(directory.path().string(), {}, options.visitor()), io,
               HasSubstr("is a directory"));
}

TEST(Options, AreWrittenWithEveryField) {
  SampleOptions options;
  options.directory = "/runs/\"a\"\\\n\x01";
  options.train = {"/a", "/语"};
  EXPECT_EQ(write_options(options.visitor()), R"([run]
directory = "/runs/\"a\"\\\n\u0001"
seed = 1
note = ""

[data]
train = ["/a", "/语"]

[objective.mlm]
probability = 0.15
count = "fixed"

[train]
learning_rate = 0.001
lr_scheduler_type = "linear"
max_steps = -1
resume = false
debug_level = 0
)");
}

TEST(Options, ATablesOwnKeysAreWrittenBeforeItsTables) {
  std::int64_t before = 1, inner = 2, after = 3;
  VisitFunction visit = [&](OptionVisitor& visitor) {
    visitor.table("outer", "", [&](OptionVisitor& v) {
      v.field("before", before, {}, "");
      v.table("inner", "", [&](OptionVisitor& w) { w.field("key", inner, {}, ""); });
      v.field("after", after, {}, "");
    });
  };
  EXPECT_EQ(write_options(visit), "[outer]\nbefore = 1\nafter = 3\n\n[outer.inner]\nkey = 2\n");
}

TEST(Options, ReadBackWhatTheyWrote) {
  SampleOptions options;
  options.directory = "/runs/\"quoted\" \\ \t\n\r\x7F 'single' # no comment";
  options.train = {"/a, b", "/[c]", "/语言.txt"};
  options.seed = std::numeric_limits<std::int64_t>::max();
  options.resume = true;  // and max_steps = -1, a default outside the range, which means that none was given
  SampleOptions back;
  read_options_text(write_options(options.visitor()), "", {}, back.visitor());
  EXPECT_EQ(back.directory, options.directory);
  EXPECT_EQ(back.train, options.train);
  EXPECT_EQ(back.seed, options.seed);
  EXPECT_EQ(back.resume, true);
  EXPECT_EQ(back.max_steps, -1);
  EXPECT_EQ(write_options(back.visitor()), write_options(options.visitor()));
}

double round_trip(double value) {
  VisitFunction write = [&](OptionVisitor& v) { v.field("x", value, {}, ""); };
  double back = 7;
  VisitFunction read = [&](OptionVisitor& v) { v.field("x", back, {}, ""); };
  read_options_text(write_options(write), "", {}, read);
  return back;
}

TEST(Options, NumbersKeepTheirBits) {
  using Limits = std::numeric_limits<double>;
  for (double value :
       {0.0, -0.0, 1.0, 0.1, 1.0 / 3, 1e-5, 3e-4, 1e22, 1e23, 123456789012345680.0, Limits::max(),
        Limits::min(), Limits::denorm_min(), -Limits::max(), 5e-324, 0x1p53 + 2}) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(round_trip(value)), std::bit_cast<std::uint64_t>(value)) << value;
  }
  std::mt19937_64 bits(1);
  for (int i = 0; i < 2000; ++i) {
    double value = std::bit_cast<double>(bits());
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(round_trip(value), value);
  }
}

TEST(DescribeOptions, GivesOneEntryAField) {
  SampleOptions options;
  std::vector<FieldHelp> help = describe_options(options.visitor());
  ASSERT_EQ(help.size(), 10u);  // all but the internal one
  EXPECT_EQ(help[0].key, "run.directory");
  EXPECT_EQ(help[0].type, "string");
  EXPECT_EQ(help[0].default_value, "");
  EXPECT_EQ(help[0].help, "Where it is written");
  EXPECT_EQ(help[1].type, "integer");
  EXPECT_EQ(help[1].default_value, "1");
  EXPECT_EQ(help[1].range, ">= 0");
  EXPECT_EQ(help[3].key, "data.train");
  EXPECT_EQ(help[3].type, "list");
  EXPECT_EQ(help[4].key, "objective.mlm.probability");
  EXPECT_EQ(help[4].type, "number");
  EXPECT_EQ(help[4].default_value, "0.15");
  EXPECT_EQ(help[4].range, "[0, 1]");
  EXPECT_EQ(help[5].type, "fixed|bernoulli");
  EXPECT_EQ(help[5].default_value, "\"fixed\"");
  EXPECT_EQ(help[6].range, "> 0");
  EXPECT_EQ(help[8].range, "[1, 1000000]");
  EXPECT_EQ(help[9].type, "true|false");
  EXPECT_EQ(help[9].range, "");
}

TEST(NearestName, FindsSlipsOfTheFingersOnly) {
  std::vector<std::string> names = {"learning_rate", "max_steps", "seed", "train", "score"};
  EXPECT_EQ(nearest_name("learning_rat", names), "learning_rate");
  EXPECT_EQ(nearest_name("learning-rate", names), "learning_rate");
  EXPECT_EQ(nearest_name("Max_Steps", names), "max_steps");
  EXPECT_EQ(nearest_name("esed", names), "seed");
  EXPECT_EQ(nearest_name("trian", names), "train");
  EXPECT_EQ(nearest_name("scoer", names), "score");
  EXPECT_EQ(nearest_name("weight_decay", names), "");
  EXPECT_EQ(nearest_name("xy", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name("seed", {}), "");
  EXPECT_EQ(nearest_name(std::string(1'000'000, 'a'), names), "");
}

}  // namespace
}  // namespace surprisal
