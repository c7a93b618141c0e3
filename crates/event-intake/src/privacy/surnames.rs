//! Family names, and the words that begin like one and are none.

/// Single family names; those that mean something else more often than not are in [`AMBIGUOUS`].
const SINGLE: &str = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍覃霍翁隋甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫来缪苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾郁商蒙计喻揭窦迟宇敖糜鄢冷卓花仇艾蓝都巩稽井练仲乐虞卞封竺冼原官衣楚佟栗匡宗应台巫鞠僧桑荆谌银扬明沙薄伏岑习胥保和蔺";
/// Names that are seldom anything else before a given name.
const CLEAR: &str = "王李张刘陈杨赵周吴徐孙胡朱何郭罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶余潘杜戴钟汪姜范姚谭廖邹熊陆郝孔崔邱秦史顾侯邵孟段钱汤尹黎乔贺赖龚庞樊殷施陶翟颜倪严俞葛韦聂柳邢岳莫庄祝祁耿牟詹凌靳童甄裴鲍覃霍翁阮闵柯冉瞿戚滕缪褚娄奚虞卞";
/// Words in themselves: taken for a name only where nothing else can be one.
const AMBIGUOUS: &str =
    "于向和从时常有经由应能对全原都来连计成强官明台保关解单边路车文安方花任包房管党项支来木乐银";
/// Names of two characters.
const DOUBLE: [&str; 12] = [
    "欧阳", "司马", "诸葛", "上官", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "令狐", "东方", "司徒",
];
/// Words that begin with a family name.
const WORDS: [&str; 120] = [
    "高度", "高空", "高峰", "高层", "高温", "高压", "高声", "高速", "高考", "高架", "马上", "马路", "方便",
    "方向", "方面", "方才", "安全", "安排", "安装", "安静", "安保", "安置", "常年", "常常", "常住", "经常",
    "时常", "时间", "时候", "全部", "全家", "全体", "全力", "和平", "向东", "向西", "向南", "向北", "应当",
    "应该", "何时", "何处", "何人", "何故", "何况", "余下", "余地", "许多", "许可", "程序", "程度", "孔洞",
    "谢谢", "周边", "周围", "周末", "周一", "周二", "周三", "周四", "周五", "周六", "周日", "周期", "陈述",
    "陈旧", "张贴", "张开", "张望", "杨树", "杨梅", "李子", "苏醒", "董事", "叶子", "叶片", "郑重", "钱款",
    "钱财", "段路", "杜绝", "陆续", "胡同", "胡乱", "范围", "曾经", "曾多", "曾在", "曾于", "曾向", "曾打",
    "曾反", "曾报", "曾投", "曾因", "曾有", "唐突", "顾客", "严重", "严禁", "严格", "施工", "施救", "项目",
    "单位", "单元", "路过", "路口", "车主", "车辆", "成年", "石头", "金额", "明确", "强烈", "关于", "解决",
    "万分", "司法", "谈话",
];

/// How many characters of family name a text begins with.
pub(super) fn family(name: &[char]) -> Option<usize> {
    let first_two: String = name.iter().take(2).collect();
    if DOUBLE.contains(&first_two.as_str()) {
        return Some(2);
    }
    name.first().filter(|first| SINGLE.contains(**first)).map(|_| 1)
}

/// Whether it is a family name that seldom is another word.
pub(super) fn is_clear(family: char) -> bool {
    CLEAR.contains(family)
}

/// Whether it is more often another word.
pub(super) fn is_ambiguous(family: char) -> bool {
    AMBIGUOUS.contains(family)
}

/// Whether a text begins with a word that only begins like a name.
pub(super) fn is_word(text: &[char]) -> bool {
    let first_two: String = text.iter().take(2).collect();
    WORDS.contains(&first_two.as_str())
}

/// Whether a text begins with a family name that may be followed by somebody's given name.
pub(crate) fn begins_like_a_name(text: &[char]) -> bool {
    family(text).is_some() && !is_word(text)
}
