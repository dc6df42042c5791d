"""The XCom key of what came of a run; in a file of its own, for the scheduler needs nothing else of XCom's."""

NOTE = "litegate_note"
