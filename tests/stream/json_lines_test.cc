#include "stream/json_lines.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "core/random.h"
#include "tests/core/error_matchers.h"
#include "tests/stream/streams.h"

namespace surprisal {
namespace {

using testing::HasSubstr;

Stream read(const std::string& line) {
  return stream_from_json(line, "s:7");
}

TEST(StreamJson, WritesExactlyThisLine) {
  Stream stream = make_sequence(2, 10);
  stream.target[0].weight = 0.1f;
  EXPECT_EQ(stream_to_json(stream),
            "{\"token\":[10,11],\"position\":[0,1],\"block_position\":[0,0],\"segment\":[0,1],"
            "\"visible\":[[0,2],[0,2]],\"target\":[[1,110,0.1]],\"label\":[[0,1,1]]}");
  EXPECT_EQ(stream_to_json({}),
            "{\"token\":[],\"position\":[],\"block_position\":[],\"segment\":[],\"visible\":[],"
            "\"target\":[],\"label\":[]}");
}

TEST(StreamJson, ReadsBackWhatItWrote) {
  Stream stream = make_sequence(5, 10);
  EXPECT_EQ(read(stream_to_json(stream)), stream);
}

Stream with_choices() {
  Stream stream = make_sequence(2, 10);
  stream.label.clear();
  stream.target = {{0, 1, 1}, {0, 2, 1}, {1, 3, 1}, {1, 4, 1}};
  stream.choice = {{.option = {{0, 1}, {1, 3}}, .answer = 1, .weight = 0.1f}, {.option = {{3, 4}}}};
  return stream;
}

TEST(StreamJson, ChoicesAreWrittenWhereThereAreSome) {
  const std::string line = stream_to_json(with_choices());
  EXPECT_THAT(line, testing::EndsWith("\"label\":[],\"choice\":[{\"options\":[[0,1],[1,3]],\"answer\":1,"
                                      "\"weight\":0.1},{\"options\":[[3,4]],\"answer\":0,\"weight\":1}]}"));
  EXPECT_EQ(read(line), with_choices());
}

TEST(StreamJson, RefusesChoicesOfAnotherForm) {
  auto choice = [](const std::string& value) {
    return read(R"({"token":[1],"visible":[[0,1]],"target":[[0,1,1]],"choice":[)" + value + "]}");
  };
  const std::string form = ", expected {\"options\":[[begin, end], ...],\"answer\":index,\"weight\":number}";
  EXPECT_ERROR(choice("[[0,1]]"), data, "s:7, choice[0]: wrong form: found [[0,1]]" + form);
  EXPECT_ERROR(choice(R"({"options":[[0,1]],"answer":0})"), data,
               "s:7, choice[0]: wrong form: found {\"answer\":0,\"options\":[[0,1]]}" + form);
  EXPECT_ERROR(choice(R"({"options":1,"answer":0,"weight":1})"), data, HasSubstr("choice[0]: wrong form"));
  EXPECT_ERROR(choice(R"({"options":[[0,1]],"answers":0,"weight":1})"), data,
               HasSubstr("choice[0]: wrong form"));
  EXPECT_ERROR(choice(R"({"options":[[0]],"answer":0,"weight":1})"), data,
               "s:7, choice[0], options[0]: wrong form: found [0], expected [begin, end]");
  EXPECT_ERROR(choice(R"({"options":[[0,1]],"answer":0.5,"weight":1})"), data,
               "s:7, choice[0]: wrong value: found 0.5, expected a whole number of 32 bits");
  EXPECT_ERROR(choice(R"({"options":[[0,1]],"answer":0,"weight":"1"})"), data,
               "s:7, choice[0]: wrong type: found \"1\", expected a number as weight");
  EXPECT_ERROR(choice(R"({"options":[[0,1]],"answer":0,"weight":1e39})"), data,
               HasSubstr("choice[0]: impossible weight"));
  EXPECT_ERROR(choice(R"({"options":[[0,2]],"answer":0,"weight":1})"), data,
               HasSubstr("choice[0]: an option is no range of targets"));
  EXPECT_ERROR(choice(R"({"options":[[0,1]],"answer":1,"weight":1})"), data,
               "s:7, choice[0]: answer out of range: found 1, expected at least 0 and below 1");
}

TEST(StreamJson, WeightsKeepEveryBit) {
  Random random({1, 2, 3, Purpose::sampling});
  Stream stream = make_sequence(20000, 0);
  stream.target.clear();
  while (stream.target.size() < 20000) {
    std::uint32_t bits = random.next_u32() & 0x7FFFFFFF;
    float weight;
    std::memcpy(&weight, &bits, sizeof weight);
    if (std::isfinite(weight))
      stream.target.push_back({static_cast<std::int32_t>(stream.target.size()), 1, weight});
  }
  stream.target[0].weight = std::numeric_limits<float>::denorm_min();
  stream.target[1].weight = std::numeric_limits<float>::max();
  stream.target[2].weight = 7.038531e-26f;  // whose shortest digits, read as a double, round to its neighbour
  EXPECT_EQ(read(stream_to_json(stream)), stream);
}

// Of a regression: the right number stands behind the weight.
TEST(StreamJson, LabelsMayHaveAValue) {
  Stream stream = make_sequence(3, 10);
  stream.label = {{0, 0, 1, 2.5f}, {1, 0, 0.5f, 0}, {2, 0, 1, -0.1f}};
  const std::string line = stream_to_json(stream);
  EXPECT_THAT(line, testing::EndsWith("\"label\":[[0,0,1,2.5],[1,0,0.5],[2,0,1,-0.1]]}"));
  EXPECT_EQ(read(line), stream);
  Random random({.seed = 5});
  for (int i = 0; i < 200; ++i) {
    stream.label[0].value = static_cast<float>(random.normal() * std::pow(10, i % 60 - 30));
    EXPECT_EQ(read(stream_to_json(stream)), stream);
  }
}

TEST(StreamJson, RefusesLabelsOfAnotherForm) {
  const auto label = [](const std::string& value) {
    return read(R"({"token":[1],"visible":[[0,1]],"label":[)" + value + "]}");
  };
  const std::string form = ", expected [row, class, weight] or [row, 0, weight, value]";
  EXPECT_ERROR(label("[0,1]"), data, "s:7, label[0]: wrong form: found [0,1]" + form);
  EXPECT_ERROR(label("[0,0,1,2,3]"), data, "s:7, label[0]: wrong form: found [0,0,1,2,3]" + form);
  EXPECT_ERROR(label("{\"row\":0}"), data, HasSubstr("s:7, label[0]: wrong form"));
  EXPECT_ERROR(label("[0,0,1,\"2\"]"), data,
               "s:7, label[0]: wrong type: found \"2\", expected a number as value");
  EXPECT_ERROR(label("[0,0,null,2]"), data,
               "s:7, label[0]: wrong type: found null, expected a number as weight");
  EXPECT_ERROR(label("[0,0,1,1e39]"), data, HasSubstr("s:7, label[0]: impossible value"));
  EXPECT_ERROR(label("[0,0.5,1,2]"), data, HasSubstr("label[0]"));
}

TEST(StreamJson, LeavesOutWhatHasADefault) {
  Stream stream = read(R"({"token":[5,6,7],"visible":[[0,1],[0,2],[1,3]]})");
  EXPECT_EQ(stream.position, (std::vector<std::int32_t>{0, 1, 1}));
  EXPECT_EQ(stream.block_position, (std::vector<std::int32_t>{0, 0, 0}));
  EXPECT_EQ(stream.segment, (std::vector<std::int32_t>{0, 0, 0}));
  EXPECT_TRUE(stream.target.empty());
  EXPECT_TRUE(stream.label.empty());
  ASSERT_EQ(stream.sequence.size(), 1u);
  EXPECT_EQ(stream.sequence[0], (Sequence{.begin = 0, .end = 3}));
}

TEST(StreamJson, RefusesOtherKeysAndTypes) {
  EXPECT_ERROR(read("[1]"), data,
               "s:7: a stream is a JSON object: found [1], expected {\"token\":[...], ...}");
  EXPECT_ERROR(read(R"({"token":[1],"visible":[[0,1]],"targets":[]})"), data,
               "s:7: unknown key targets; did you mean target?");
  EXPECT_ERROR(read(R"({"visible":[[0,1]]})"), data, "s:7: key token is missing");
  EXPECT_ERROR(read(R"({"token":[1]})"), data, "s:7: key visible is missing");
  EXPECT_ERROR(read(R"({"token":[],"visible":[]})"), data, "s:7: a stream without a token");
  EXPECT_ERROR(read(R"({"token":1,"visible":[]})"), data,
               "s:7, token: wrong type: found 1, expected an array");
  EXPECT_ERROR(read(R"({"token":[1,2.5],"visible":[[0,1]]})"), data,
               "s:7, token[1]: wrong value: found 2.5, expected a whole number of 32 bits");
  EXPECT_ERROR(read(R"({"token":[2147483648],"visible":[[0,1]]})"), data,
               "s:7, token[0]: wrong value: found 2147483648, expected a whole number of 32 bits");
  EXPECT_ERROR(read(R"({"token":[1],"visible":[[0,1,2]]})"), data,
               "s:7, visible[0]: wrong form: found [0,1,2], expected [begin, end]");
  EXPECT_ERROR(read(R"({"token":[1],"visible":[[0,1]],"target":[[0,1]]})"), data,
               "s:7, target[0]: wrong form: found [0,1], expected [row, id, weight]");
  EXPECT_ERROR(read(R"({"token":[1],"visible":[[0,1]],"label":[[0,1,"1"]]})"), data,
               "s:7, label[0]: wrong type: found \"1\", expected a number as weight");
  EXPECT_ERROR(read(R"({"token":[1],"token":[1]})"), data, HasSubstr("duplicate key"));
  EXPECT_ERROR(read(R"({"token":[1)"), data, HasSubstr("s:7, byte"));
}

TEST(StreamJson, RefusesWhatTheRulesOfStreamsRefuse) {
  EXPECT_ERROR(read(R"({"token":[1,2],"visible":[[0,1]]})"), data,
               "s:7, visible: arrays of unequal length: found 1, expected 2, as token has");
  EXPECT_ERROR(read(R"({"token":[1],"visible":[[0,2]]})"), data,
               HasSubstr("visible[0]: interval leaves the stream"));
  EXPECT_ERROR(read(R"({"token":[1],"visible":[[-2147483647,1]]})"), data,
               HasSubstr("visible[0]: interval leaves the stream"));
  EXPECT_ERROR(read(R"({"token":[1],"visible":[[0,1]],"target":[[1,1,1]]})"), data,
               HasSubstr("target[0]: row leaves the stream"));
  EXPECT_ERROR(read(R"({"token":[1],"visible":[[0,1]],"target":[[0,1,1e39]]})"), data,
               HasSubstr("target[0]: impossible weight"));
}

}  // namespace
}  // namespace surprisal
