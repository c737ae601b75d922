#include "runtime/journal/faulty_disk.h"

#include <string>

#include <catch2/catch.hpp>

#include "runtime/journal/sqlite.h"

namespace rm::journal {
namespace {

// A database with one row, committed by a rollback journal (SQLite's other way to be atomic).
std::unique_ptr<Database> OneRow(const FaultyDisk& disk) {
  auto database = Database::Open("x.db", disk.vfs());
  REQUIRE(database.ok());
  REQUIRE((*database)->Execute("CREATE TABLE t (n INTEGER)").ok());
  REQUIRE((*database)->Execute("INSERT INTO t VALUES (7)").ok());
  return *std::move(database);
}

int64_t RowsOf(const FaultyDisk& disk) {
  auto database = Database::Open("x.db", disk.vfs());
  REQUIRE(database.ok());
  return (*database)->QueryInteger("SELECT count(*) FROM t").value_or(-1);
}

TEST_CASE("SQLite runs on it, and what it has synced survives a power cut that keeps nothing") {
  FaultyDisk disk;
  OneRow(disk).reset();
  CHECK(RowsOf(disk) == 1);
  disk.CutPower(0);
  CHECK(RowsOf(disk) == 1);
}

TEST_CASE("what was never synced is gone after a power cut, and there when all is kept") {
  for (const bool keep : {false, true}) {
    FaultyDisk disk;
    auto database = OneRow(disk);
    REQUIRE(database->Execute("PRAGMA synchronous=OFF").ok());
    REQUIRE(database->Execute("INSERT INTO t VALUES (8)").ok());
    database.reset();
    disk.CutPower(keep ? FaultyDisk::kKeepAll : 0);
    CHECK(RowsOf(disk) == (keep ? 2 : 1));
  }
}

TEST_CASE("every call fails from a power cut on, and only one from an I/O error") {
  FaultyDisk disk;
  auto database = OneRow(disk);
  disk.FailFrom(disk.calls() + 1, FaultyDisk::Fault::kIoError);
  CHECK_FALSE(database->Execute("INSERT INTO t VALUES (8)").ok());
  CHECK(database->Execute("INSERT INTO t VALUES (8)").ok());
  disk.FailFrom(disk.calls() + 1, FaultyDisk::Fault::kPowerCut);
  CHECK_FALSE(database->Execute("INSERT INTO t VALUES (9)").ok());
  CHECK_FALSE(database->Execute("INSERT INTO t VALUES (9)").ok());
  database.reset();
  disk.CutPower(1);
  CHECK(RowsOf(disk) == 2);
}

TEST_CASE("a full disk takes no more bytes, but can be read and written in place") {
  FaultyDisk disk;
  auto database = OneRow(disk);
  disk.FailFrom(disk.calls() + 1, FaultyDisk::Fault::kDiskFull);
  const absl::Status full = database->Execute("INSERT INTO t VALUES (zeroblob(100000))");
  CHECK(full.code() == absl::StatusCode::kResourceExhausted);
  CHECK(database->QueryInteger("SELECT n FROM t").value() == 7);
}

TEST_CASE("runs are the same, call by call") {
  FaultyDisk first;
  FaultyDisk second;
  OneRow(first).reset();
  OneRow(second).reset();
  CHECK(first.calls() == second.calls());
  CHECK(first.Read("x.db") == second.Read("x.db"));
}

TEST_CASE("a file can be taken out, damaged and put back") {
  FaultyDisk disk;
  OneRow(disk).reset();
  const std::string whole = disk.Read("x.db");
  disk.Replace("x.db", whole.substr(0, whole.size() / 2));
  CHECK(RowsOf(disk) == -1);
  disk.Replace("x.db", whole);
  disk.CutPower(0);
  CHECK(RowsOf(disk) == 1);
  CHECK(disk.Read("nothing").empty());
}

}  // namespace
}  // namespace rm::journal
