package crm

import (
	"fmt"
	"math/rand/v2"
)

// objects are names of CRM objects (FX-NEW).
var objects = []string{"QuoteObj", "SalesOrderObj", "AccountObj", "NewOpportunityObj", "LeadsObj", "PaymentObj", "ContractObj__c"}

var headings = map[string]string{
	"QuoteObj": "报价单审批", "SalesOrderObj": "销售订单审批", "AccountObj": "客户信息变更", "NewOpportunityObj": "商机阶段推进",
	"LeadsObj": "线索分配", "PaymentObj": "回款确认", "ContractObj__c": "合同审批",
}

var subjects = []string{"提交", "转交", "催办", "退回后重新提交", "抄送", "加签"}

// details try everything that breaks careless templates: quotes, markup, line breaks, backslashes, placeholders, emoji,
// right-to-left text, other scripts.
var details = []string{
	`%s 华东区 <加急>`,
	`%s “特价” 'A' "B" 客户`,
	"%s 第一行\n第二行",
	"%s 列一\t列二",
	`%s C:\合同\新建 \n 不是换行`,
	`%s R&D 中心 &amp; 采购部`,
	`%s 🚀 年度框架 👩‍💼`,
	`%s عقد سنوي 与阿语客户`,
	`%s <script>alert("x")</script>`,
	`%s {"json":"in a title"} ${jndi} {{.X}} #F001`,
	`%s ?a=1&b=2#frag 100%%25 完成`,
	`%s 𠮷野家 Ünïcödé ﷽`,
	`%s ]]> <!-- 注释 -->`,
	`%s 普通标题，金额 ¥1,280.00`,
}

// wording is what a to-do is called after a change; each version says its number, so that no two titles are equal.
func wording(rng *rand.Rand, t ToDo) (heading, subject, detail string) {
	number := fmt.Sprintf("%s 第%d版", t.ID, t.Version)
	return headings[t.Object.APIName], subjects[rng.IntN(len(subjects))], fmt.Sprintf(details[rng.IntN(len(details))], number)
}
