"""What happens in a task beside its step: records in and out of XCom, who started the run, which specs there are."""
