#include "runtime/data/npy_dataset.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/memory_file_system.h"
#include "runtime/data/testing.h"
#include "runtime/tensorfile/npy.h"

namespace rm::data {
namespace {

using base::MemoryFileSystem;
using Shape = std::vector<int64_t>;

template <typename T>
std::string Npy(const char* dtype, const Shape& shape, const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return tensorfile::EncodeNpy(dtype, shape, bytes).value();
}

// A folder /d with these two files, and what is asked of it.
struct Source {
  MemoryFileSystem files;
  DatasetOptions options;

  Source(const std::string& input, const std::string& target) {
    WriteFile(files, "/d/input.npy", input);
    WriteFile(files, "/d/target.npy", target);
  }
  absl::StatusOr<std::unique_ptr<Dataset>> Open() {
    pb::DataSource source;
    source.set_path("/d");
    source.set_format("npy");
    return Dataset::Open(source, files, options);
  }
};

const std::string kSixFloats = Npy<float>("F32", {3, 2}, {1, 2, 3, 4, 5, 6.5});
const std::string kThreeTargets = Npy<int64_t>("I64", {3}, {2, 0, 1});

TEST_CASE("rows are samples, targets their classes") {
  const auto dataset = Source(kSixFloats, kThreeTargets).Open();
  REQUIRE(dataset.ok());
  CHECK((*dataset)->size() == 3);
  CHECK((*dataset)->sample_shape() == Shape{2});
  CHECK((*dataset)->classes() == 3);
  CHECK((*dataset)->bad_records().count() == 0);
  float row[2];
  int64_t label = -1;
  (*dataset)->Read(2, row, &label);
  CHECK(row[0] == 5.0F);
  CHECK(row[1] == 6.5F);
  CHECK(label == 1);
}

template <typename T>
void CheckInput(const char* dtype, T first, T second) {
  CAPTURE(dtype);
  const auto dataset =
      Source(Npy<T>(dtype, {2}, {first, second}), Npy<uint8_t>("U8", {2}, {0, 1})).Open();
  REQUIRE(dataset.ok());
  CHECK((*dataset)->sample_shape() == Shape{1});  // one number a sample
  for (const T wanted : {first, second}) {
    float value = -7;
    int64_t label = -1;
    (*dataset)->Read(wanted == first ? 0 : 1, &value, &label);
    CHECK(value == static_cast<float>(wanted));
  }
}

TEST_CASE("numbers of every type are taken as they are") {
  CheckInput<float>("F32", -1.5F, 3e38F);
  CheckInput<double>("F64", 0.1, -1e-300);
  CheckInput<uint8_t>("U8", 0, 255);
  CheckInput<int8_t>("I8", -128, 127);
  CheckInput<uint16_t>("U16", 1, 65535);
  CheckInput<int16_t>("I16", -32768, 2);
  CheckInput<uint32_t>("U32", 3, 4294967295U);
  CheckInput<int32_t>("I32", -2147483647, 4);
  CheckInput<uint64_t>("U64", 5, ~uint64_t{0});
  CheckInput<int64_t>("I64", std::numeric_limits<int64_t>::min(), 6);
  CheckInput<uint8_t>("BOOL", 0, 1);
}

TEST_CASE("images keep their shape, targets may be a column") {
  const auto dataset = Source(Npy<uint8_t>("U8", {2, 1, 2, 3}, std::vector<uint8_t>(12, 9)),
                              Npy<int32_t>("I32", {2, 1}, {4, 0}))
                           .Open();
  REQUIRE(dataset.ok());
  CHECK((*dataset)->sample_shape() == Shape{1, 2, 3});
  CHECK((*dataset)->classes() == 5);
}

TEST_CASE("the input's file is found by the name of the model's input") {
  Source source("", kThreeTargets);
  WriteFile(source.files, "/d/pixels.npy", kSixFloats);
  source.options.model.inputs = {{"pixels", kernels::DType::kFloat32, {2}, 0}};
  CHECK(source.Open().ok());
  source.options.model.inputs[0].name = "none";
  const auto missing = source.Open();
  REQUIRE(absl::IsNotFound(missing.status()));
  CHECK_THAT(std::string(missing.status().message()), Catch::Contains("/d/none.npy"));
}

TEST_CASE("NaN, infinities and labels out of range make bad records, told with their offset") {
  const float nan = std::nanf(""), inf = std::numeric_limits<float>::infinity();
  Source source(Npy<float>("F32", {5, 2}, {1, 2, 3, nan, -inf, 6, 7, 8, 9, 10}),
                Npy<int64_t>("I64", {5}, {0, 1, 1, -1, 2}));
  source.options.model.classes = 2;
  const auto dataset = source.Open();
  REQUIRE(dataset.ok());
  const auto& bad = (*dataset)->bad_records().kept();
  REQUIRE(bad.size() == 4);
  CHECK(bad[0].ToString() ==
        "/d/input.npy at offset 140, sample 1: field 'input': 'nan' is no finite float32");
  CHECK(bad[1].ToString() ==
        "/d/input.npy at offset 144, sample 2: field 'input': '-inf' is no finite float32");
  CHECK(bad[2].ToString() ==
        "/d/target.npy at offset 152, sample 3: field 'target': '-1' is no class: they count from 0");
  CHECK(bad[3].ToString() ==
        "/d/target.npy at offset 160, sample 4: field 'target': '2' is out of range: the model has "
        "2 classes, 0 to 1 (model.params.classes)");
  CHECK_FALSE((*dataset)->bad_records().Has(0));
  CHECK((*dataset)->classes() == 1);
}

TEST_CASE("a double beyond float32 is a bad record") {
  const auto dataset =
      Source(Npy<double>("F64", {2}, {1e300, 1}), Npy<uint8_t>("U8", {2}, {0, 0})).Open();
  REQUIRE(dataset.ok());
  CHECK((*dataset)->bad_records().count() == 1);
  CHECK((*dataset)->bad_records().Has(0));
}

TEST_CASE("a label that no memory holds is out of range without a model, too") {
  const auto dataset =
      Source(Npy<float>("F32", {2}, {0, 1}), Npy<uint64_t>("U64", {2}, {~uint64_t{0}, 3})).Open();
  REQUIRE(dataset.ok());
  REQUIRE((*dataset)->bad_records().count() == 1);
  CHECK((*dataset)->bad_records().kept()[0].value == "18446744073709551615");
  CHECK((*dataset)->classes() == 4);
}

TEST_CASE("arrays that do not belong together are refused") {
  const struct {
    std::string input, target;
    const char* message;
  } cases[] = {
      {kSixFloats, Npy<int64_t>("I64", {2}, {0, 1}),
       "/d/input.npy has 3 samples, but /d/target.npy has 2 targets"},
      {kSixFloats, Npy<float>("F32", {3}, {0, 1, 2}),
       "/d/target.npy: the target is F32; it must be class indices, whole numbers from 0"},
      {kSixFloats, Npy<uint8_t>("U8", {3, 2}, {0, 1, 2, 0, 1, 2}),
       "/d/target.npy: the target is U8 [3, 2]; it must have one number for each sample"},
      {Npy<float>("F32", {0, 2}, {}), kThreeTargets, "/d/input.npy: F32 [0, 2] holds no samples"},
      {Npy<float>("F32", {3, 0}, {}), kThreeTargets, "/d/input.npy: F32 [3, 0] holds no samples"},
      {Npy<float>("F32", {}, {1}), kThreeTargets, "/d/input.npy: F32 [] holds no samples"},
      {kSixFloats.substr(0, 130), kThreeTargets, "/d/input.npy: expected 24 bytes of data"},
  };
  for (const auto& test : cases) {
    const auto dataset = Source(test.input, test.target).Open();
    REQUIRE(absl::IsInvalidArgument(dataset.status()));
    CHECK_THAT(std::string(dataset.status().message()), Catch::Contains(test.message));
  }
}

// Two inputs of whole numbers and one of floats, in files of other types, and a target a token.
struct ThreeInputs : Source {
  ThreeInputs() : Source(kSixFloats, Npy<uint8_t>("U8", {3, 2}, {0, 1, 2, 3, 1, 0})) {
    options.model.inputs = {{"input", kernels::DType::kFloat32, {2}, 0},
                            {"ids", kernels::DType::kInt64, {2}, 10},
                            {"mask", kernels::DType::kBool, {2}, 0}};
    options.model.target.shape = {2};
    options.model.classes = 4;
    options.model.has_params = false;
    Put("ids", Npy<uint16_t>("U16", {3, 2}, {9, 8, 7, 6, 5, 4}));
    Put("mask", Npy<uint8_t>("BOOL", {3, 2}, {1, 1, 1, 0, 0, 0}));
  }
  void Put(const std::string& name, const std::string& bytes) {
    WriteFile(files, "/d/" + name + ".npy", bytes);
  }
  std::string Error() { return std::string(Open().status().message()); }
};

TEST_CASE("each input has a file of its own, read in the type of the model") {
  ThreeInputs source;
  const auto dataset = source.Open();
  REQUIRE(dataset.ok());
  CHECK((*dataset)->bad_records().count() == 0);
  CHECK(CheckLayout(source.options.model, (*dataset)->layout()).ok());
  CHECK((*dataset)->layout().weights() == 2);
  float x[4] = {};
  int64_t ids[4] = {}, labels[4] = {};
  uint8_t mask[4] = {9, 9, 9, 9};
  void* const inputs[] = {x, ids, mask};
  (*dataset)->ReadRow(1, 1, {inputs, labels, nullptr});
  CHECK((x[2] == 3 && x[3] == 4 && x[0] == 0));
  CHECK((ids[2] == 7 && ids[3] == 6));
  CHECK((mask[1] == 9 && mask[2] == 1 && mask[3] == 0));
  CHECK((labels[2] == 2 && labels[3] == 3));
}

TEST_CASE("whole numbers that an input's table or type does not hold make bad records") {
  ThreeInputs source;
  source.Put("ids", Npy<int64_t>("I64", {3, 2}, {9, 10, 0, -1, 5, 4}));
  source.Put("mask", Npy<uint8_t>("U8", {3, 2}, {1, 1, 1, 0, 0, 2}));
  const auto dataset = source.Open();
  REQUIRE(dataset.ok());
  const auto& bad = (*dataset)->bad_records().kept();
  REQUIRE(bad.size() == 3);
  CHECK(bad[0].ToString() ==
        "/d/ids.npy at offset 136, sample 0: field 'ids': '10' is out of range: the model's input "
        "takes 0 to 9");
  CHECK(bad[1].value == "-1");
  CHECK(bad[2].field == "mask");
  source.options.model.inputs[1].limit = 0;  // no table: any int64 will do
  CHECK((*source.Open())->bad_records().count() == 1);
}

TEST_CASE("a number that an int64 input cannot hold makes a bad record and not a negative one") {
  ThreeInputs source;
  source.options.model.inputs[1].limit = 0;
  const uint64_t largest = ~uint64_t{0} >> 1;
  source.Put("ids", Npy<uint64_t>("U64", {3, 2}, {9, largest, 0, largest + 1, ~uint64_t{0}, 4}));
  const auto dataset = source.Open();
  REQUIRE(dataset.ok());
  const auto& bad = (*dataset)->bad_records().kept();
  REQUIRE(bad.size() == 2);
  CHECK(bad[0].ToString() ==
        "/d/ids.npy at offset 152, sample 1: field 'ids': '9223372036854775808' is out of range: "
        "the model's input takes -9223372036854775808 to 9223372036854775807");
  CHECK((bad[1].sample == 2 && bad[1].value == "18446744073709551615"));
}

TEST_CASE("files that do not fit the model's inputs are refused by name") {
  SECTION("floats for whole numbers") {
    ThreeInputs source;
    source.Put("ids", Npy<float>("F32", {3, 2}, {1, 2, 3, 4, 5, 6}));
    CHECK(source.Error() ==
          "/d/ids.npy: the input is F32; the model's input 'ids' takes whole numbers (int64)");
  }
  SECTION("another length") {
    ThreeInputs source;
    source.Put("mask", Npy<uint8_t>("BOOL", {2, 2}, {1, 1, 1, 0}));
    CHECK(source.Error() == "/d/mask.npy has 2 samples, but /d/target.npy has 3 targets");
  }
  SECTION("a file that is not there") {
    ThreeInputs source;
    source.options.model.inputs[2].name = "weights";
    CHECK_THAT(source.Error(), Catch::Contains("/d/weights.npy"));
  }
  SECTION("a name that no file in the folder can have") {
    for (const char* const name : {"a/b", "../secret", "target"}) {
      ThreeInputs source;
      source.options.model.inputs[2].name = name;
      CHECK_THAT(source.Error(), Catch::Contains("cannot have a file of its name in /d"));
    }
  }
  SECTION("another shape is said with both sides") {
    ThreeInputs source;
    source.options.model.inputs[1].shape = {3};
    const auto dataset = source.Open();
    REQUIRE(dataset.ok());
    CHECK(CheckLayout(source.options.model, (*dataset)->layout()) ==
          absl::InvalidArgumentError("input 'ids': the data's samples are [2], the model takes [3]; "
                                     "use other data, or export the model for this shape"));
  }
  SECTION("a target of another shape") {
    ThreeInputs source;
    source.options.model.target.shape = {4};
    CHECK(source.Error() ==
          "/d/target.npy: the target is U8 [3, 2]; it must have 4 numbers for each sample, shape "
          "[n, 4]");
  }
}

TEST_CASE("targets are numbers where the loss compares numbers") {
  Source source(kSixFloats, Npy<double>("F64", {3, 1}, {0.5, -1, std::nan("")}));
  source.options.model.inputs = {{"input", kernels::DType::kFloat32, {2}, 0}};
  source.options.model.target = {"target", kernels::DType::kFloat32, {1}, 0};
  const auto dataset = source.Open();
  REQUIRE(dataset.ok());
  CHECK((*dataset)->bad_records().count() == 1);
  CHECK((*dataset)->layout().weights() == 1);
  CHECK(CheckLayout(source.options.model, (*dataset)->layout()).ok());
  float x[2], y = 0;
  void* const inputs[] = {x};
  (*dataset)->ReadRow(0, 0, {inputs, &y, nullptr});
  CHECK(y == 0.5F);
  source.options.model.target_is_share = true;
  const auto shares = source.Open();
  REQUIRE(shares.ok());
  CHECK((*shares)->bad_records().kept()[0].ToString() ==
        "/d/target.npy at offset 136, sample 1: field 'target': '-1' must be from 0 to 1 "
        "(model.loss)");
}

}  // namespace
}  // namespace rm::data
