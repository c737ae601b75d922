#include "runtime/data/csv.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "runtime/data/csv_schema.h"
#include "runtime/data/testing.h"

namespace rm::data {
namespace {

using base::MemoryFileSystem;
using Names = std::vector<std::string>;

// What is asked for, and of which file.
struct Source {
  MemoryFileSystem files;
  DatasetOptions options;

  Source(const std::string& bytes, const std::string& label,
         const std::vector<std::pair<std::string, std::string>>& types = {}) {
    WriteFile(files, "/t.csv", bytes);
    options.schema.set_label(label);
    for (const auto& [column, type] : types) (*options.schema.mutable_types())[column] = type;
  }
  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path = "/t.csv") {
    pb::DataSource source;
    source.set_path(path);
    source.set_format("csv");
    return Dataset::Open(source, files, options);
  }
};

// Sample and label as one list.
std::vector<float> SampleOf(const Dataset& dataset, int64_t index) {
  std::vector<float> row(static_cast<size_t>(dataset.layout().inputs[0].elements()), -1.0F);
  int64_t label = -1;
  dataset.Read(index, row.data(), &label);
  row.push_back(static_cast<float>(label));
  return row;
}

std::vector<std::string> BadOnes(const Dataset& dataset) {
  std::vector<std::string> lines;
  for (const BadRecord& record : dataset.bad_records().kept()) lines.push_back(record.ToString());
  return lines;
}

TEST_CASE("numbers, categories and labels become samples") {
  Source source("age,city,outcome\n1.5,Ulm,yes\n2,\"Bonn\",no\n3,Ulm,yes\n4,Aue,maybe\n", "outcome",
                {{"city", "category"}, {"outcome", "category"}});
  const auto dataset = source.Open();
  REQUIRE(dataset.ok());
  CHECK((*dataset)->size() == 4);
  CHECK((*dataset)->sample_shape() == std::vector<int64_t>{4});
  CHECK((*dataset)->classes() == 3);  // maybe, no, yes
  CHECK((*dataset)->bad_records().count() == 0);
  // One-hot in sorted order: Aue, Bonn, Ulm.
  CHECK(SampleOf(**dataset, 0) == std::vector<float>{1.5, 0, 0, 1, 2});
  CHECK(SampleOf(**dataset, 1) == std::vector<float>{2, 0, 1, 0, 1});
  CHECK(SampleOf(**dataset, 2) == std::vector<float>{3, 0, 0, 1, 2});
  CHECK(SampleOf(**dataset, 3) == std::vector<float>{4, 1, 0, 0, 0});
}

TEST_CASE("features come in the order of the schema, columns without a use are left alone") {
  Source source("id,b,y,a\nx1,2,1,3\n?,4,0,5\n", "y");
  source.options.schema.add_features("a");
  source.options.schema.add_features("b");
  const auto dataset = source.Open();
  REQUIRE(dataset.ok());
  CHECK(SampleOf(**dataset, 0) == std::vector<float>{3, 2, 1});
  CHECK(SampleOf(**dataset, 1) == std::vector<float>{5, 4, 0});
  CHECK((*dataset)->classes() == 2);
}

TEST_CASE("CRLF, a byte order mark, quotes around numbers and compression change nothing") {
  const std::string plain = "a,y\n1,0\n2,1\n";
  const std::string dressed = "\xEF\xBB\xBF\"a\",y\r\n\"1\",0\r\n\r\n 2 ,\"1\"";
  for (const std::string& bytes : {plain, dressed}) {
    Source source(bytes, "y");
    WriteFile(source.files, "/z.csv.gz", Gzip(bytes));
    for (const char* const path : {"/t.csv", "/z.csv"}) {
      const auto dataset = source.Open(path);
      REQUIRE(dataset.ok());
      CHECK((*dataset)->size() == 2);
      CHECK(SampleOf(**dataset, 1) == std::vector<float>{2, 1});
    }
  }
}

TEST_CASE("a compressed file that is cut off is an error and no short data set") {
  Source source("", "y");
  const std::string whole = Gzip("a,y\n1,0\n2,1\n");
  WriteFile(source.files, "/z.csv.gz", whole.substr(0, whole.size() - 9));
  CHECK(absl::IsDataLoss(source.Open("/z.csv").status()));
}

TEST_CASE("each bad record is told by file, line, column, field, value and reason") {
  Source source(
      "age,city,y\n"
      "abc,Ulm,1\n"        // line 2
      "1,Ulm,0\n"          // 3
      "nan,Ulm,0\n"        // 4
      "1e99,Ulm,0\n"       // 5
      "1,,0\n"             // 6
      "1,Ulm\n"            // 7
      "1,Ulm,0,extra\n"    // 8
      "1,Ulm,-1\n"         // 9
      "1,Ulm,x\n"          // 10
      "1,Ulm,7\n"          // 11
      "1,Ulm,\n"           // 12
      "1,\"U\nlm\",zwölf\n"  // 13 and 14
      "1,U\"lm,0\n"        // 15
      "\n"                 // 16
      "2,Ulm,1\n",         // 17
      "y", {{"city", "category"}});
  source.options.model.classes = 5;
  const auto dataset = source.Open();
  REQUIRE(dataset.ok());
  CHECK(BadOnes(**dataset) ==
        Names{"/t.csv:2:1: field 'age': 'abc' is not a float",
              "/t.csv:4:1: field 'age': 'nan' is not a finite number",
              "/t.csv:5:1: field 'age': '1e99' is beyond the range of float32",
              "/t.csv:6:3: field 'city': '' is missing",
              "/t.csv:7:1: the record has 2 fields, the header has 3 columns",
              "/t.csv:8:9: the record has 4 fields, the header has 3 columns",
              "/t.csv:9:7: field 'y': '-1' is no class: they count from 0",
              "/t.csv:10:7: field 'y': 'x' is not a whole number",
              "/t.csv:11:7: field 'y': '7' is out of range: the model has 5 classes, 0 to 4 "
              "(model.params.classes)",
              "/t.csv:12:7: field 'y': '' is missing",
              "/t.csv:14:5: field 'y': 'zwölf' is not a whole number",
              "/t.csv:15:3: field 'city': 'U\"lm' has a quote inside a field that does not begin "
              "with one"});
  // They keep their numbers, so that the good ones keep theirs.
  CHECK((*dataset)->size() == 14);
  CHECK((*dataset)->bad_records().count() == 12);
  CHECK_FALSE((*dataset)->bad_records().Has(1));
  CHECK_FALSE((*dataset)->bad_records().Has(13));
  CHECK(SampleOf(**dataset, 13) == std::vector<float>{2, 1, 1});
  CHECK((*dataset)->classes() == 2);
}

TEST_CASE("a bad record adds neither a category nor to a mean") {
  Source source("a,c,y\n1,x,0\nbad,zzz,0\n5,y,9\n,x,1\n", "y", {{"c", "category"}});
  source.options.model.classes = 2;
  source.options.schema.set_missing("mean");
  const auto dataset = source.Open();
  REQUIRE(dataset.ok());
  CHECK((*dataset)->bad_records().count() == 2);
  CHECK((*dataset)->csv_encoding()->features[1].categories == Names{"x"});
  CHECK(SampleOf(**dataset, 3) == std::vector<float>{1, 1, 1});
}

TEST_CASE("empty fields are errors, zeros or means, as the schema says") {
  const std::string bytes = "a,c,y\n1,x,0\n ,x,0\n4,z,1\n7,,1\n";
  const auto open = [&](const char* missing) {
    Source source(bytes, "y", {{"c", "category"}});
    source.options.schema.set_missing(missing);
    auto dataset = source.Open();
    REQUIRE(dataset.ok());
    return *std::move(dataset);
  };
  for (const char* const word : {"", "error"}) {
    CHECK(BadOnes(*open(word)) == Names{"/t.csv:3:1: field 'a': ' ' is missing",
                                        "/t.csv:5:3: field 'c': '' is missing"});
  }
  const auto zero = open("zero");
  CHECK(SampleOf(*zero, 1) == std::vector<float>{0, 1, 0, 0});
  CHECK(SampleOf(*zero, 3) == std::vector<float>{7, 0, 0, 1});
  const auto mean = open("mean");
  CHECK(SampleOf(*mean, 1) == std::vector<float>{4, 1, 0, 0});
  const std::vector<float> share = SampleOf(*mean, 3);
  CHECK(share[0] == 7);
  CHECK(share[1] == Approx(2.0 / 3));
  CHECK(share[2] == Approx(1.0 / 3));
}

TEST_CASE("a column with no value at all has the mean 0") {
  Source source("a,b,y\n1,,0\n2,,1\n", "y");
  source.options.schema.set_missing("mean");
  CHECK(SampleOf(**source.Open(), 0) == std::vector<float>{1, 0, 0});
}

TEST_CASE("the validation file is read with the categories and means of the training file") {
  Source source("a,c,y\n1,x,no\n3,z,yes\n,x,no\n", "y", {{"c", "category"}, {"y", "category"}});
  source.options.schema.set_missing("mean");
  const auto training = source.Open();
  REQUIRE(training.ok());
  // Another order of columns, one that nobody uses, and values that the training file lacks.
  WriteFile(source.files, "/v.csv",
            "y,extra,c,a\nyes,1,z,10\nyes,1,x,\nno,1,y,10\nperhaps,1,x,10\n");
  source.options.training = training->get();
  const auto validation = source.Open("/v.csv");
  REQUIRE(validation.ok());
  CHECK((*validation)->sample_shape() == (*training)->sample_shape());
  CHECK((*validation)->classes() == 2);
  CHECK(SampleOf(**validation, 0) == std::vector<float>{10, 0, 1, 1});
  CHECK(SampleOf(**validation, 1) == std::vector<float>{2, 1, 0, 1});  // the mean of 1 and 3
  CHECK(BadOnes(**validation) ==
        Names{"/v.csv:4:6: field 'c': 'y' does not occur in the training file",
              "/v.csv:5:1: field 'y': 'perhaps' does not occur in the training file"});
}

TEST_CASE("a validation file without a column of the training file is refused") {
  Source source("a,b,y\n1,2,0\n", "y");
  const auto training = source.Open();
  WriteFile(source.files, "/v.csv", "a,B,y\n1,2,0\n");
  source.options.training = training->get();
  CHECK(source.Open("/v.csv").status() ==
        absl::InvalidArgumentError("/v.csv: data.schema.features: the file has no column 'b'; it "
                                   "has a, B, y"));
}

TEST_CASE("files whose structure is broken are refused, with the place") {
  const struct {
    std::string bytes;
    const char* message;
  } cases[] = {
      {"", "/t.csv: the file is empty; it begins with the names of its columns"},
      {"\n\n", "/t.csv: the file is empty; it begins with the names of its columns"},
      {"a,y\n", "/t.csv: there is no record behind the header"},
      {"1.5,0\n2.5,1\n",
       "/t.csv: data.schema.label: the file has no column 'y'; it has 1.5, 0"},
      {"a,,y\n1,2,0\n", "/t.csv:1:3: a column without a name"},
      {"ä,b,ä,y\n1,2,3,0\n", "/t.csv:1:5: a second column 'ä'"},
      {"a\"b,y\n1,0\n",
       "/t.csv:1:1: a column's name has a quote inside a field that does not begin with one"},
      {"a,y\n1,0\n2,\"1\n", "/t.csv:3:3: a quote is opened here and never closed"},
      {std::string(kCsvColumnsMax, ',') + "y\n", "/t.csv:1:1: 16385 columns; at most 16384"},
  };
  for (const auto& test : cases) {
    Source source(test.bytes, "y");
    const auto dataset = source.Open();
    REQUIRE(absl::IsInvalidArgument(dataset.status()));
    CHECK_THAT(std::string(dataset.status().message()), Catch::StartsWith(test.message));
  }
}

TEST_CASE("a csv file without a schema is refused with what it needs") {
  Source source("a,y\n1,0\n", "");
  CHECK(source.Open().status() ==
        absl::InvalidArgumentError("/t.csv: data.schema.label is missing: a csv file needs the name "
                                   "of the column that is to be predicted"));
}

TEST_CASE("more kinds of label than the model has classes are no matter of single records") {
  Source source("a,y\n1,p\n2,q\n3,r\n", "y", {{"y", "category"}});
  source.options.model.classes = 2;
  CHECK(source.Open().status() ==
        absl::InvalidArgumentError("/t.csv: column 'y' has 3 different values, the model has 2 "
                                   "classes; set model.params.classes to 3"));
  source.options.model.classes = 3;
  CHECK(source.Open().ok());
}

// A model of two inputs, a table of five rows and two floats, with this target.
SampleLayout TwoInputs() {
  SampleLayout model;
  model.inputs = {{"ids", kernels::DType::kInt64, {2}, 5}, {"x", kernels::DType::kFloat32, {2}, 0}};
  model.classes = 3;
  model.has_params = false;
  return model;
}

TEST_CASE("columns go to the inputs that data.inputs says, whole numbers to tables as they are") {
  Source source("city,a,n,b,y\nUlm,1.5,4,2,1\nBonn,2,0,3,2\nUlm,7,5,1,0\n", "y",
                {{"city", "category"}, {"n", "int"}});
  source.options.model = TwoInputs();
  source.options.inputs = {{"x", {"b", "a"}}, {"ids", {"n", "city"}}};
  const auto dataset = source.Open();
  REQUIRE(dataset.ok());
  CHECK(CheckLayout(source.options.model, (*dataset)->layout()).ok());
  CHECK(BadOnes(**dataset) ==
        Names{"/t.csv:4:7: field 'n': '5' is out of range: the model's input 'ids' takes 0 to 4"});
  int64_t ids[4] = {-1, -1, -1, -1}, labels[2] = {};
  float x[4] = {};
  void* const inputs[] = {ids, x};
  (*dataset)->ReadRow(1, 0, {inputs, labels, nullptr});
  (*dataset)->ReadRow(0, 1, {inputs, labels, nullptr});
  CHECK(std::vector<int64_t>(ids, ids + 4) == std::vector<int64_t>{0, 0, 4, 1});
  CHECK(std::vector<float>(x, x + 4) == std::vector<float>{3, 2, 2, 1.5F});
  CHECK(std::vector<int64_t>(labels, labels + 2) == std::vector<int64_t>{2, 1});
}

TEST_CASE("what does not go together with the model's inputs is told by its key") {
  const std::string bytes = "a,n,y\n1,2,0\n";
  const struct {
    std::map<std::string, Names> inputs;
    const char* message;
  } cases[] = {
      {{}, "data.inputs: the model's input 'ids' has no columns; the model has 2 inputs"},
      {{{"ids", {"n"}}}, "data.inputs: the model's input 'x' has no columns"},
      {{{"idx", {"n"}}, {"x", {"a"}}}, "data.inputs: the model has no input 'idx'"},
      {{{"ids", {"a"}}, {"x", {"a"}}},
       "data.schema.types.a is float, but the model's input 'ids' takes whole numbers"},
      {{{"ids", {"m"}}, {"x", {"a"}}}, "data.inputs.ids: the file has no column 'm'"},
      {{{"ids", {"n"}}, {"x", {"y"}}}, "data.inputs.x: 'y' is the label"},
  };
  for (const auto& test : cases) {
    Source source(bytes, "y", {{"n", "int"}});
    source.options.model = TwoInputs();
    source.options.inputs = test.inputs;
    CHECK_THAT(std::string(source.Open().status().message()), Catch::Contains(test.message));
  }
}

TEST_CASE("a category with more values than the table has rows is refused") {
  Source source("c,x,z,y\np,1,1,0\nq,1,1,0\nr,1,1,0\n", "y", {{"c", "category"}});
  source.options.model = TwoInputs();
  source.options.model.inputs[0] = {"ids", kernels::DType::kInt32, {1}, 2};
  source.options.inputs = {{"ids", {"c"}}, {"x", {"x", "z"}}};
  CHECK_THAT(std::string(source.Open().status().message()),
             Catch::Contains("column 'c' has 3 different values; the model's input 'ids' takes 0 "
                             "to 1"));
}

TEST_CASE("an empty field of a table has no stand-in, whatever the rule for numbers") {
  for (const char* const missing : {"zero", "mean"}) {
    Source source("n,m,x,z,y\n,1,,1,0\n1,2,3,4,0\n1,2,,4,0\n", "y", {{"n", "int"}, {"m", "int"}});
    source.options.schema.set_missing(missing);
    source.options.model = TwoInputs();
    source.options.inputs = {{"ids", {"n", "m"}}, {"x", {"x", "z"}}};
    const auto dataset = source.Open();
    REQUIRE(dataset.ok());
    CHECK(BadOnes(**dataset) == Names{"/t.csv:2:1: field 'n': '' is missing"});
  }
}

// The numbers that a loss without classes compares with.
std::vector<float> NumbersOf(const Dataset& dataset) {
  std::vector<float> numbers;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    float x = 0, y = -1;
    void* const inputs[] = {&x};
    dataset.ReadRow(i, 0, {inputs, &y, nullptr});
    numbers.push_back(y);
  }
  return numbers;
}

TEST_CASE("a label is a number where the loss compares numbers") {
  SampleLayout model;
  model.inputs = {{"x", kernels::DType::kFloat32, {1}, 0}};
  model.target = {"target", kernels::DType::kFloat32, {1}, 0};
  Source source("x,y\n1,-2.5\n2,3e2\n3,nan\n", "y");
  source.options.model = model;
  const auto dataset = source.Open();
  REQUIRE(dataset.ok());
  CHECK(CheckLayout(model, (*dataset)->layout()).ok());
  CHECK(NumbersOf(**dataset) == std::vector<float>{-2.5F, 300, 0});
  CHECK(BadOnes(**dataset).size() == 1);
  SECTION("int is a number, too") {
    (*source.options.schema.mutable_types())["y"] = "int";
    const auto ints = source.Open();
    REQUIRE(ints.ok());
    CHECK((*ints)->bad_records().count() == 3);
  }
  SECTION("a category is none") {
    (*source.options.schema.mutable_types())["y"] = "category";
    CHECK_THAT(std::string(source.Open().status().message()),
               Catch::Contains("this loss compares numbers, so the label is float or int"));
  }
}

TEST_CASE("a share lies between 0 and 1; a category of two values is one") {
  SampleLayout model;
  model.inputs = {{"x", kernels::DType::kFloat32, {1}, 0}};
  model.target = {"target", kernels::DType::kFloat32, {1}, 0};
  model.target_is_share = true;
  Source numbers("x,y\n1,0.25\n2,1\n3,1.5\n4,-0.1\n", "y");
  numbers.options.model = model;
  const auto dataset = numbers.Open();
  REQUIRE(dataset.ok());
  CHECK(NumbersOf(**dataset) == std::vector<float>{0.25F, 1, 0, 0});
  CHECK(BadOnes(**dataset)[0] ==
        "/t.csv:4:3: field 'y': '1.5' must be from 0 to 1 (model.loss)");
  Source words("x,y\n1,spam\n2,ham\n3,\n4,spam\n", "y", {{"y", "category"}});
  words.options.model = model;
  const auto two = words.Open();
  REQUIRE(two.ok());
  CHECK(NumbersOf(**two) == std::vector<float>{1, 0, 0, 1});
  Source more("x,y\n1,a\n2,b\n3,c\n", "y", {{"y", "category"}});
  more.options.model = model;
  CHECK_THAT(std::string(more.Open().status().message()),
             Catch::Contains("column 'y' has 3 different values; this loss tells two apart"));
}

TEST_CASE("a column of names is no category") {
  std::string bytes = "name,y\n";
  for (size_t i = 0; i <= kCsvCategoriesMax; ++i) absl::StrAppend(&bytes, "n", i, ",0\n");
  Source source(bytes, "y", {{"name", "category"}});
  CHECK(source.Open().status() ==
        absl::InvalidArgumentError(
            "/t.csv: column 'name' has more than 65536 different values: it is no category"));
}

TEST_CASE("a file of nothing but bad records can be opened, so that they can be listed") {
  Source source("a,y\nx,0\nz,1\n", "y");
  const auto dataset = source.Open();
  REQUIRE(dataset.ok());
  CHECK((*dataset)->bad_records().count() == (*dataset)->size());
}

TEST_CASE("a missing file is told by its names") {
  Source source("", "y");
  CHECK(source.Open("/none.csv").status() ==
        absl::NotFoundError("there is neither /none.csv nor /none.csv.gz"));
}

// The encoding again, in the most obvious way: all values as text, sorted with a set.
TEST_CASE("generated tables are encoded as a second, slower reading encodes them") {
  base::RandomStream random(8, 2);
  for (int round = 0; round < 50; ++round) {
    const uint64_t rows = 1 + random.NextBelow(30);
    std::string bytes = "n,c,y\n";
    std::vector<std::tuple<float, std::string, int>> table;
    for (uint64_t i = 0; i < rows; ++i) {
      const float number = static_cast<float>(random.NextBelow(1000)) / 8.0F;
      const std::string value(1, static_cast<char>('a' + random.NextBelow(5)));
      const int label = static_cast<int>(random.NextBelow(4));
      table.emplace_back(number, value, label);
      absl::StrAppend(&bytes, number, ",", value, ",", label, "\n");
    }
    std::vector<std::string> sorted;
    for (const auto& [number, value, label] : table) sorted.push_back(value);
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    Source source(bytes, "y", {{"c", "category"}});
    const auto dataset = source.Open();
    REQUIRE(dataset.ok());
    for (size_t i = 0; i < table.size(); ++i) {
      const auto& [number, value, label] = table[i];
      std::vector<float> wanted = {number};
      for (const std::string& one : sorted) wanted.push_back(one == value ? 1.0F : 0.0F);
      wanted.push_back(static_cast<float>(label));
      CHECK(SampleOf(**dataset, static_cast<int64_t>(i)) == wanted);
    }
  }
}

TEST_CASE("no mutation of a file crashes the reader or shifts its samples") {
  const std::string good = "a,c,y\n1,x,0\n2,\"y,\n\",1\n3,\"\"\"\",0\n";
  base::RandomStream random(12, 7);
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = good;
    for (uint64_t edits = 1 + random.NextBelow(4); edits > 0; --edits) {
      const size_t at = random.NextBelow(bytes.size());
      bytes[at] = "a1,\"\n\r\xff\x00.-"[random.NextBelow(10)];
    }
    Source source(bytes, "y", {{"c", "category"}});
    const auto dataset = source.Open();
    if (!dataset.ok()) {
      REQUIRE_FALSE(dataset.status().message().empty());
      continue;
    }
    REQUIRE((*dataset)->bad_records().count() <= (*dataset)->size());
    for (int64_t i = 0; i < (*dataset)->size(); ++i) {
      if ((*dataset)->bad_records().Has(i)) continue;
      const float label = SampleOf(**dataset, i).back();
      REQUIRE(label < static_cast<float>((*dataset)->classes()));
    }
  }
}

}  // namespace
}  // namespace rm::data
