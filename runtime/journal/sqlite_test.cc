#include "runtime/journal/sqlite.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/file_system.h"
#include "base/temporary_folder.h"

namespace rm::journal {
namespace {

TEST_CASE("a row that was inserted is read back") {
  const base::TemporaryFolder folder;
  auto database = Database::Open(folder.File("x.db"), "");
  REQUIRE(database.ok());
  REQUIRE((*database)->Execute("CREATE TABLE t (n INTEGER, b BLOB)").ok());
  const std::string bytes("\0\xff text", 7);
  {
    auto insert = (*database)->Prepare("INSERT INTO t VALUES (?1, ?2)");
    REQUIRE(insert.ok());
    for (int64_t n : {int64_t{-1}, INT64_MAX}) {
      insert->Reset();
      REQUIRE(insert->Bind(1, n).ok());
      REQUIRE(insert->BindBlob(2, bytes).ok());
      REQUIRE_FALSE(insert->Step().value());
    }
  }
  auto select = (*database)->Prepare("SELECT n, b FROM t ORDER BY n");
  REQUIRE(select.ok());
  REQUIRE(select->Step().value());
  CHECK(select->Integer(0) == -1);
  CHECK(select->Blob(1) == bytes);
  REQUIRE(select->Step().value());
  CHECK(select->Integer(0) == INT64_MAX);
  CHECK_FALSE(select->Step().value());
}

TEST_CASE("an empty blob is empty, not null") {
  const base::TemporaryFolder folder;
  auto database = Database::Open(folder.File("x.db"), "");
  REQUIRE(database.ok());
  REQUIRE((*database)->Execute("CREATE TABLE t (b BLOB NOT NULL)").ok());
  auto insert = (*database)->Prepare("INSERT INTO t VALUES (?1)");
  REQUIRE(insert.ok());
  REQUIRE(insert->BindBlob(1, absl::string_view()).ok());
  CHECK(insert->Step().ok());
}

TEST_CASE("an integer query without rows is zero") {
  const base::TemporaryFolder folder;
  auto database = Database::Open(folder.File("x.db"), "");
  REQUIRE(database.ok());
  REQUIRE((*database)->Execute("CREATE TABLE t (n INTEGER)").ok());
  CHECK((*database)->QueryInteger("SELECT n FROM t").value() == 0);
  CHECK((*database)->QueryInteger("SELECT max(n) FROM t").value() == 0);
}

TEST_CASE("errors of SQLite are told apart by their code") {
  const base::TemporaryFolder folder;
  base::FileSystem& files = base::PosixFileSystem();

  SECTION("a folder that is not there") {
    const auto database = Database::Open(folder.File("none/x.db"), "");
    CHECK(database.status().code() == absl::StatusCode::kPermissionDenied);
    CHECK(database.status().message() ==
          "unable to open database file (No such file or directory)");
  }
  SECTION("a file that is no database") {
    REQUIRE(base::WriteFileAtomically(files, folder.File("x.db"), std::string(5000, 'x')).ok());
    const auto database = Database::Open(folder.File("x.db"), "");
    REQUIRE(database.ok());
    CHECK((*database)->QueryInteger("PRAGMA application_id").status().code() ==
          absl::StatusCode::kDataLoss);
  }
  SECTION("a second writer") {
    const auto first = Database::Open(folder.File("x.db"), "");
    REQUIRE((*first)->Execute("CREATE TABLE t (n INTEGER)").ok());
    const auto second = Database::Open(folder.File("x.db"), "");
    REQUIRE(second.ok());
    CHECK((*second)->QueryInteger("SELECT count(*) FROM t").status().code() ==
          absl::StatusCode::kFailedPrecondition);
  }
  SECTION("a disk that is full") {
    const auto database = Database::Open(folder.File("x.db"), "");
    REQUIRE((*database)->Execute("PRAGMA max_page_count=2").ok());
    REQUIRE((*database)->Execute("CREATE TABLE t (b BLOB)").ok());
    CHECK((*database)->Execute("INSERT INTO t VALUES (zeroblob(100000))").code() ==
          absl::StatusCode::kResourceExhausted);
  }
  SECTION("a file layer that nobody registered") {
    CHECK_FALSE(Database::Open(folder.File("x.db"), "no-such-vfs").ok());
  }
}

}  // namespace
}  // namespace rm::journal
