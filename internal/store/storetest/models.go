package storetest

func (s suite) models() []subtest { return nil }
