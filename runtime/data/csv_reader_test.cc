#include "runtime/data/csv_reader.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "runtime/data/testing.h"

namespace rm::data {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// A file of these bytes with a reader over it.
struct World {
  base::MemoryFileSystem files;
  std::unique_ptr<ByteStream> stream;
  std::unique_ptr<CsvReader> reader;

  explicit World(const std::string& bytes) {
    WriteFile(files, "/f.csv", bytes);
    stream = *OpenPlainOrGzip(files, "/f.csv");
    reader = std::make_unique<CsvReader>(*stream);
  }
  bool Next() {
    const auto found = reader->Next();
    REQUIRE(found.ok());
    return *found;
  }
};

// All records without a problem; with one, the record is {"!", what, which field}.
Rows ReadAll(const std::string& bytes) {
  World world(bytes);
  Rows rows;
  while (world.Next()) {
    auto& row = rows.emplace_back();
    if (world.reader->problem() != nullptr) {
      row = {"!", world.reader->problem(), absl::StrCat(world.reader->problem_field())};
      continue;
    }
    CHECK(world.reader->field_count() == world.reader->fields().size());
    for (const CsvField& field : world.reader->fields()) row.emplace_back(field.text);
  }
  return rows;
}

TEST_CASE("records and fields are what RFC 4180 says") {
  const struct {
    const char* bytes;
    Rows rows;
  } cases[] = {
      {"", {}},
      {"a", {{"a"}}},
      {"a,b\nc,d\n", {{"a", "b"}, {"c", "d"}}},
      {"a,b\r\nc,d\r\n", {{"a", "b"}, {"c", "d"}}},
      {"a,b\nc,d", {{"a", "b"}, {"c", "d"}}},          // no line end at the end
      {",\n,", {{"", ""}, {"", ""}}},                  // empty fields, also the last one of the file
      {"a,\n", {{"a", ""}}},
      {"\"a\",\"b\"\n", {{"a", "b"}}},
      {"\"a,b\",c\n", {{"a,b", "c"}}},
      {"\"a\nb\",c\r\nd,e", {{"a\nb", "c"}, {"d", "e"}}},
      {"\"a\r\nb\",c", {{"a\r\nb", "c"}}},             // line ends in quotes stay what they are
      {"\"a\"\"b\",\"\"\"\"\n", {{"a\"b", "\""}}},
      {"\"\",\"\"", {{"", ""}}},
      {"\"\"\n", {{""}}},                              // not an empty line: a field is there
      {"\n\r\na\n\n\nb\n\n", {{"a"}, {"b"}}},          // empty lines are passed over
      {" a , b \n", {{" a ", " b "}}},                 // spaces belong to the field
      {"a\rb,c\n", {{"a\rb", "c"}}},                   // a lone CR is a byte like any other
      {"\xEF\xBB\xBF" "a,b\n", {{"a", "b"}}},
      {"\xEF\xBB\xBF\"a\",b\n", {{"a", "b"}}},
      {"a\n\xEF\xBB\xBF" "b\n", {{"a"}, {"\xEF\xBB\xBF" "b"}}},  // only at the beginning
      {"ä,\xff\n", {{"ä", "\xff"}}},
  };
  for (const auto& test : cases) {
    CAPTURE(test.bytes);
    CHECK(ReadAll(test.bytes) == test.rows);
  }
}

TEST_CASE("a wrong form spoils its record and no other") {
  const std::string quote = "has a quote inside a field that does not begin with one";
  const std::string text = "has text behind its closing quote";
  CHECK(ReadAll("a,b\"c,d\ne,f\n") == Rows{{"!", quote, "1"}, {"e", "f"}});
  CHECK(ReadAll("\"a\"b,c\nd,e\n") == Rows{{"!", text, "0"}, {"d", "e"}});
  CHECK(ReadAll("\"a\" ,c\nd,e\n") == Rows{{"!", text, "0"}, {"d", "e"}});
  CHECK(ReadAll("x,\"a\"\"\"b\"c\"\nd,e") == Rows{{"!", text, "1"}, {"d", "e"}});
  CHECK(ReadAll("a\"\n") == Rows{{"!", quote, "0"}});
}

TEST_CASE("a quote that is never closed is told where it opens") {
  const struct {
    const char* bytes;
    const char* message;
  } cases[] = {
      {"a,b\nc,\"d\ne,f\n", "/f.csv:2:3: a quote is opened here and never closed"},
      {"\"", "/f.csv:1:1: a quote is opened here and never closed"},
      {"a\n\"x\ny\",\"ä\"\"", "/f.csv:3:4: a quote is opened here and never closed"},
  };
  for (const auto& test : cases) {
    World world(test.bytes);
    absl::StatusOr<bool> found = true;
    while (found.ok() && *found) found = world.reader->Next();
    CHECK(found.status() == absl::InvalidArgumentError(test.message));
  }
}

TEST_CASE("places count from 1, columns in characters, also behind fields of several lines") {
  World world("\xEF\xBB\xBFname,b\n\nä,\"öü\",x\n\"1\n2\n3\",y,\"z\r\nz\",w\nq,r\n");
  const auto places = [&] {
    REQUIRE(world.Next());
    std::vector<std::pair<int64_t, int64_t>> found;
    for (size_t i = 0; i < world.reader->fields().size(); ++i) {
      const TextPlace place = world.reader->PlaceOf(i);
      found.emplace_back(place.line, place.column);
    }
    return found;
  };
  using Places = std::vector<std::pair<int64_t, int64_t>>;
  CHECK(places() == Places{{1, 1}, {1, 6}});
  CHECK(places() == Places{{3, 1}, {3, 3}, {3, 8}});
  CHECK(places() == Places{{4, 1}, {6, 4}, {6, 6}, {7, 4}});
  CHECK(places() == Places{{8, 1}, {8, 3}});
  CHECK(world.reader->place().line == 8);
  CHECK_FALSE(world.Next());
}

TEST_CASE("fields beyond the bound are counted, not kept") {
  World world(std::string(100'000, ',') + "\na,b,c,d\n");
  world.reader->SetFieldsMax(3);
  REQUIRE(world.Next());
  CHECK(world.reader->field_count() == 100'001);
  CHECK(world.reader->fields().size() == 3);
  REQUIRE(world.Next());
  CHECK(world.reader->field_count() == 4);
  CHECK(world.reader->fields()[2].text == "c");
}

TEST_CASE("a field of a megabyte is read, a longer one spoils its record, a longer record the file") {
  const std::string most(kCsvFieldBytesMax, 'x');
  CHECK(ReadAll("a," + most + "\nb,c\n") == Rows{{"a", most}, {"b", "c"}});
  CHECK(ReadAll("a,\"" + most + "\"\nb,c\n") == Rows{{"a", most}, {"b", "c"}});
  CHECK(ReadAll("a,x" + most + "\nb,c\n") ==
        Rows{{"!", "is longer than 1048576 bytes", "1"}, {"b", "c"}});

  World plain(std::string(kCsvRecordBytesMax + (2 << 20), 'x'));
  CHECK(plain.reader->Next().status() ==
        absl::InvalidArgumentError("/f.csv:1:1: the record is longer than 16777216 bytes"));
  World quoted("a\nb,\"" + std::string(kCsvRecordBytesMax + (2 << 20), '\n') + "\"");
  REQUIRE(quoted.Next());
  CHECK(quoted.reader->Next().status() ==
        absl::InvalidArgumentError(
            "/f.csv:2:3: a quote is opened here and not closed within 16777216 bytes"));
}

TEST_CASE("records that lie across the pieces of the file are read whole") {
  std::string bytes;
  Rows rows;
  base::RandomStream random(3, 1);
  while (bytes.size() < (5U << 20)) {  // pieces are of one megabyte
    auto& row = rows.emplace_back();
    for (uint64_t fields = 1 + random.NextBelow(4); fields > 0; --fields) {
      std::string text(random.NextBelow(90'000), 'a');
      for (char& c : text) c = "abc,\"\n\r;"[random.NextBelow(8)];
      row.push_back(text);
      absl::StrAppend(&bytes, row.size() > 1 ? "," : "", "\"",
                      absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
    }
    bytes += random.NextBelow(2) == 0 ? "\n" : "\r\n";
  }
  CHECK(ReadAll(bytes) == rows);
}

// Writes fields in any of the ways that mean the same.
std::string Written(const Rows& rows, base::RandomStream& random) {
  std::string bytes;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) bytes += ',';
      const bool plain = row[i].find_first_of(",\"\n\r") == std::string::npos && !row[i].empty();
      if (plain && random.NextBelow(2) == 0) {
        bytes += row[i];
      } else {
        absl::StrAppend(&bytes, "\"", absl::StrReplaceAll(row[i], {{"\"", "\"\""}}), "\"");
      }
    }
    bytes += random.NextBelow(2) == 0 ? "\n" : "\r\n";
  }
  return bytes;
}

TEST_CASE("whatever is written is read as it was") {
  base::RandomStream random(11, 4);
  for (int round = 0; round < 300; ++round) {
    Rows rows;
    for (uint64_t i = random.NextBelow(6); i > 0; --i) {
      auto& row = rows.emplace_back();
      for (uint64_t k = 1 + random.NextBelow(4); k > 0; --k) {
        std::string& text = row.emplace_back(random.NextBelow(6), ' ');
        for (char& c : text) c = "ab ,\"\n\r\xc3\xa4"[random.NextBelow(9)];
      }
    }
    const std::string bytes = Written(rows, random);
    CAPTURE(bytes);
    CHECK(ReadAll(bytes) == rows);
  }
}

TEST_CASE("no bytes make the reader crash or hang") {
  base::RandomStream random(5, 9);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes(random.NextBelow(60), ' ');
    for (char& c : bytes) c = "a,\"\n\r\xEF\xBB\xBF\x00z"[random.NextBelow(10)];
    World world(bytes);
    for (size_t records = 0; records <= bytes.size(); ++records) {
      const auto found = world.reader->Next();
      if (!found.ok() || !*found) break;
      REQUIRE(records < bytes.size());
      for (size_t i = 0; i < world.reader->fields().size(); ++i) {
        REQUIRE(world.reader->PlaceOf(i).column >= 1);
      }
    }
  }
}

}  // namespace
}  // namespace rm::data
